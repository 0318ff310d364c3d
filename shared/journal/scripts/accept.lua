#!lua
-- include: calls/_call, _cancel, _callers
-- Records intents, held or due: all of them, or none.
--
-- ARGV[1]  JSON object:
--   prefix      of every key
--   call        the call's id, "" when the message named none
--   agent       the agent folder of the call, "" for the first one
--   trace       of the request, "" where the call's id says it
--   intents     list of {id, kind, schema, tool, reference, fingerprint, payload (text), said, org,
--               hold_ms, caller (number or ""), after (list of ids), after_call (bool),
--               record (its name, or ""; it waits for the call's requests of other kinds about it),
--               parts ("" or a JSON list of ids, see Intent), dedup_keys (list), asks (bool), requested_at (ms), message,
--               amends ({id, fingerprint as read} or nil)}
--   cancels     list of {id, as_read (bool: it can still be cancelled), reason}: cancelled in the same step
--   limits      (optional) list of {name, key (without the prefix), most, ms}: so many write requests are
--               accepted under the key, for so long from the first one; counted: how many there are now
--   is_proven   the caller has shown more than their number
--   dedup_ms    how long a dedup key finds its intent, across calls
--   call_ms     how long the call's list of intents and requests is stored
--   caller_ms, caller_limit   how long, and how many of, a caller's intents are found by their number: of
--               those who have proved who they are apart from the others (see _callers.lua)
--   spare_references   for intents whose reference is taken
--   answer_key  (optional) where the tool call's answer is stored
--   answer      (optional) the answer's text; answer_ttl_ms
--   wake_up_ms  how long a wake-up counts as on its way
--
-- Returns a list:
--   {"answered", text}            this tool call was answered before; nothing recorded
--   {"erased"}                    the call was erased (erase.lua); nothing recorded
--   {"repeated", id}              the call already has a request with this fingerprint, or an intent has
--                                 this id; nothing recorded
--   {"existing", id}              another message's intent has the same dedup key; nothing recorded
--   {"too_many", name}            this limit is reached; nothing recorded
--   {"too_late"}                  the intent to amend is no longer held or has changed, or an intent to cancel
--                                 has changed; nothing recorded, nothing cancelled
--   {"accepted", text, kind, ...} recorded; text is the answer ("" without one); notify these kinds
--
-- An intent that amends a held one replaces it under the old id and reference, and is held anew. It stays in
-- the trace of the first one.
local want = cjson.decode(ARGV[1])
local p = want.prefix
local now = clock_ms()

if want.answer_key then
  local stored = redis.call('GET', want.answer_key)
  if stored and string.sub(stored, 1, 8) ~= 'working:' then return {'answered', stored} end
end

if want.call ~= '' and redis.call('HEXISTS', p .. 'call:' .. want.call, 'erased') == 1 then return {'erased'} end

local requests = p .. 'call:' .. want.call .. ':requests'
for _, intent in ipairs(want.intents) do
  -- An id may be made of the call's: then it outlives the call's list of fingerprints.
  if not intent.amends and redis.call('EXISTS', p .. 'intent:' .. intent.id) == 1 then
    return {'repeated', intent.id}
  end
  if intent.fingerprint ~= '' and want.call ~= '' then
    local earlier = redis.call('HGET', requests, intent.fingerprint)
    if earlier then return {'repeated', earlier} end
  end
  if intent.amends then
    local is = redis.call('HMGET', p .. 'intent:' .. intent.amends[1],
      'state', 'fingerprint', 'hold_until', 'call', 'accepted', 'kind')
    local held = is[1] == 'held' and (tonumber(is[3]) > now or is_held_back(p, is[4], tonumber(is[5]), now))
    if not held or is[2] ~= intent.amends[2] or is[6] ~= intent.kind then return {'too_late'} end
  end
  if intent.asks and not intent.amends then
    for _, dedup_key in ipairs(intent.dedup_keys) do
      local id = redis.call('GET', p .. 'dedup:' .. dedup_key)
      local is = id and redis.call('HMGET', p .. 'intent:' .. id, 'state', 'message', 'payload')
      -- Requests of one message never merge. A purged intent has no text left to compare with.
      if is and is[1] and is[1] ~= 'cancelled' and is[1] ~= 'parked'
        and (is[2] == '' or is[2] ~= intent.message) and is[3] ~= '{}' then
        return {'existing', id}
      end
    end
  end
end

for _, other in ipairs(want.cancels) do
  if can_be_cancelled(p, other.id) ~= other.as_read then return {'too_late'} end
end

local limits = want.counted and want.limits or {}
for _, limit in ipairs(limits) do
  if tonumber(redis.call('GET', p .. limit.key) or 0) >= limit.most then return {'too_many', limit.name} end
end

-- Replaces a reference that is taken by the next free spare one, in every text that contains it.
local next_spare = 1
local function choose_reference(intent)
  local wanted = intent.reference
  while redis.call('EXISTS', p .. 'reference:' .. intent.reference) == 1 do
    intent.reference = want.spare_references[next_spare]
    if not intent.reference then error('no free reference') end
    next_spare = next_spare + 1
  end
  if intent.reference ~= wanted then
    intent.said = string.gsub(intent.said, wanted, intent.reference)
    want.answer = want.answer and string.gsub(want.answer, wanted, intent.reference)
  end
end
for _, intent in ipairs(want.intents) do
  if intent.reference ~= '' and not intent.amends then choose_reference(intent) end
end

local of_call = p .. 'call:' .. want.call .. ':intents'
local reply = {'accepted', want.answer or ''}
local function amend(intent)
  local id = intent.amends[1]
  for _, dedup_key in ipairs(cjson.decode(redis.call('HGET', p .. 'intent:' .. id, 'dedup_keys') or '[]')) do
    if redis.call('GET', p .. 'dedup:' .. dedup_key) == id then
      redis.call('DEL', p .. 'dedup:' .. dedup_key)
    end
  end
  redis.call('HSET', p .. 'intent:' .. id, 'payload', intent.payload, 'said', intent.said,
    'schema', intent.schema, 'fingerprint', intent.fingerprint, 'requested_at', intent.requested_at,
    'message', intent.message, 'hold_until', now + intent.hold_ms, 'amended', now,
    'dedup_keys', cjson.encode(intent.dedup_keys))
  if intent.parts ~= '' then redis.call('HSET', p .. 'intent:' .. id, 'parts', intent.parts) end
  for _, place in ipairs({'due:', 'held:', 'waiting:'}) do
    redis.call('ZADD', p .. place .. intent.kind, 'XX', now + intent.hold_ms, id)
  end
  if intent.amends[2] ~= '' then redis.call('HDEL', requests, intent.amends[2]) end
  if intent.fingerprint ~= '' then
    redis.call('HSET', requests, intent.fingerprint, id)
    redis.call('PEXPIRE', requests, want.call_ms)
  end
  for _, dedup_key in ipairs(intent.dedup_keys) do
    redis.call('SET', p .. 'dedup:' .. dedup_key, id, 'PX', want.dedup_ms)
  end
end

local function record(intent)
  local key = p .. 'intent:' .. intent.id
  local after = intent.after
  if intent.after_call and want.call ~= '' then
    after = redis.call('LRANGE', of_call, 0, -1)
  elseif intent.record ~= '' and want.call ~= '' then
    for _, earlier in ipairs(redis.call('LRANGE', of_call, 0, -1)) do
      local is = redis.call('HMGET', p .. 'intent:' .. earlier, 'kind', 'tool', 'record')
      if is[1] ~= intent.kind and is[2] and is[2] ~= '' and is[3] == intent.record then
        after[#after + 1] = earlier
      end
    end
  end
  local waiting = 0
  for _, earlier in ipairs(after) do
    local state = redis.call('HGET', p .. 'intent:' .. earlier, 'state')
    if state and not settled[state]
      and redis.call('SADD', p .. 'followers:' .. earlier, intent.id) == 1 then
      waiting = waiting + 1
    end
  end
  local hold_until = now + intent.hold_ms
  local held = waiting > 0 or intent.hold_ms > 0
  redis.call('HSET', key, 'kind', intent.kind, 'state', held and 'held' or 'due',
    'schema', intent.schema, 'call', want.call, 'tool', intent.tool,
    'reference', intent.reference, 'fingerprint', intent.fingerprint,
    'payload', intent.payload, 'said', intent.said, 'accepted', now, 'hold_until', hold_until,
    'requested_at', intent.requested_at, 'message', intent.message, 'dedup_keys', cjson.encode(intent.dedup_keys),
    'record', intent.record, 'waiting', waiting, 'attempts', 0, 'in_doubt', 0, 'org', intent.org,
    'agent', want.agent)
  if intent.parts ~= '' then redis.call('HSET', key, 'parts', intent.parts) end
  note_trace(p, intent.id, want.trace, now)
  redis.call('ZADD', p .. 'intents', now, intent.id)
  if intent.said ~= '' then count_promise(p, now, 'promised') end
  note_kind(p, intent.kind)
  count(p, intent.kind, 'accepted')
  if waiting > 0 then
    redis.call('ZADD', p .. 'waiting:' .. intent.kind, hold_until, intent.id)
  else
    redis.call('ZADD', p .. 'due:' .. intent.kind, hold_until, intent.id)
    if held then redis.call('ZADD', p .. 'held:' .. intent.kind, hold_until, intent.id) end
  end
  if intent.reference ~= '' then redis.call('SET', p .. 'reference:' .. intent.reference, intent.id) end
  if want.call ~= '' then
    redis.call('RPUSH', of_call, intent.id)
    redis.call('PEXPIRE', of_call, want.call_ms)
    if intent.fingerprint ~= '' then
      redis.call('HSET', requests, intent.fingerprint, intent.id)
      redis.call('PEXPIRE', requests, want.call_ms)
    end
  end
  if intent.caller ~= '' then
    local of_caller = p .. 'caller:' .. intent.caller .. (want.is_proven and ':proven' or ':intents')
    redis.call('RPUSH', of_caller, intent.id)
    shorten(p, of_caller, want.caller_limit)
    redis.call('PEXPIRE', of_caller, want.caller_ms)
  end
  for _, dedup_key in ipairs(intent.dedup_keys) do
    redis.call('SET', p .. 'dedup:' .. dedup_key, intent.id, 'PX', want.dedup_ms)
  end
  if not held and take_wake_up(p, intent.kind, want.wake_up_ms) then
    reply[#reply + 1] = intent.kind
  end
end

for _, other in ipairs(want.cancels) do
  if other.as_read then cancel(p, other.id, other.reason, now, want.wake_up_ms, reply) end
end
for _, limit in ipairs(limits) do
  if redis.call('INCRBY', p .. limit.key, want.counted) == want.counted then
    redis.call('PEXPIRE', p .. limit.key, limit.ms)
  end
end
local new = 0
for _, intent in ipairs(want.intents) do
  if intent.amends then
    amend(intent)
  else
    record(intent)
    new = new + 1
  end
end
if new > 0 then count_in_minute(p, now, 'accepted', new) end
if want.answer_key then
  redis.call('SET', want.answer_key, want.answer, 'PX', want.answer_ttl_ms)
end
return reply
