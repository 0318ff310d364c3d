#!lua flags=allow-oom
-- include: _purge
-- Erases what a call, or a caller outside any call, asked for and said: all of it, or nothing.
--
-- ARGV[1]  JSON object:
--   prefix        of every key
--   call          the call's id, "" for intents of no call
--   intents       list of ids that belong to it; those that the call lists are added
--   dedup_keys    list of dedup keys that lead to one of them
--   provider_ids  list of the call's ids at the phone provider
--   caller        the caller's number, in whose list the intents are
--   unclosed      true: erases a call whose end is not in the journal too, which then gets no Task
--   erased_ms     how long the call counts as erased
--
-- Erases nothing while an intent is open or parked: it may be on its way to Salesforce. The erased intents'
-- records in Salesforce still have their ids as keys.
--
-- What is left of the call says that it was erased: a late event or a repeated request of it is neither
-- recorded nor delivered a second time (record_event.lua, accept.lua).
--
-- Returns {"erased", id, ...}, {"unsettled", id, ...} or {"unclosed"}.
local want = cjson.decode(ARGV[1])
local p, call = want.prefix, want.call
local key = p .. 'call:' .. call

local ids, is_known = {}, {}
local function add(id)
  if not is_known[id] then
    ids[#ids + 1] = id
    is_known[id] = true
  end
end
for _, id in ipairs(want.intents) do add(id) end
if call ~= '' then
  for _, id in ipairs(redis.call('LRANGE', key .. ':intents', 0, -1)) do add(id) end
end

local function is_settled(id)
  local state = redis.pcall('HGET', p .. 'intent:' .. id, 'state')
  -- A row that is not a hash parks; it is settled once an operator has discarded it.
  if type(state) == 'table' then return not redis.call('ZSCORE', p .. 'parked', id) end
  return not state or state == 'delivered' or state == 'cancelled'
end

local unsettled = {'unsettled'}
for _, id in ipairs(ids) do
  if not is_settled(id) then unsettled[#unsettled + 1] = id end
end
if #unsettled > 1 then return unsettled end
if call ~= '' and not want.unclosed and redis.call('ZSCORE', p .. 'calls', call) then return {'unclosed'} end

local erased = {'erased'}
for _, id in ipairs(ids) do
  purge_row(p, id)
  redis.call('LREM', p .. 'caller:' .. want.caller .. ':intents', 0, id)
  redis.call('LREM', p .. 'caller:' .. want.caller .. ':proven', 0, id)
  erased[#erased + 1] = id
end
for _, dedup_key in ipairs(want.dedup_keys) do
  if is_known[redis.call('GET', p .. 'dedup:' .. dedup_key)] then redis.call('DEL', p .. 'dedup:' .. dedup_key) end
end
for _, provider_id in ipairs(want.provider_ids) do
  if redis.call('GET', p .. 'call-of:' .. provider_id) == call then
    redis.call('DEL', p .. 'call-of:' .. provider_id)
  end
end
if call ~= '' then
  redis.call('DEL', key, key .. ':intents', key .. ':requests', key .. ':writes', key .. ':lookups', key .. ':speech',
    key .. ':senses', key .. ':transcript', key .. ':updates', key .. ':decisions', key .. ':code',
    key .. ':written', key .. ':claims', key .. ':tool-calls')
  local unbacked = p .. 'claims:unbacked'
  for _, name in ipairs(redis.call('ZRANGE', unbacked, 0, -1)) do
    if string.sub(name, 1, #call + 1) == call .. ' ' then redis.call('ZREM', unbacked, name) end
  end
  redis.call('ZREM', p .. 'calls', call)
  redis.call('ZREM', p .. 'calls:unclosed', call)
  redis.call('HSET', key, 'erased', 1, 'ended', 1, 'over', 1, 'closed', 1, 'reported', 1)
  redis.call('PEXPIRE', key, want.erased_ms)
end
return erased
