#!lua flags=allow-oom
-- include: calls/_call
-- Leases the due intents of a kind to a worker, for a limited time and under a fencing token.
--
-- ARGV  1 prefix, 2 kind, 3 max intents, 4 max payload bytes, 5 lease in ms, 6 token,
--       7 max leases of the kind at a time, 8 max intents of a kind on probation
--
-- Leases nothing while the org or the kind has to wait, or while the kind has its maximum of batches in
-- progress: a Salesforce that hangs must not take every thread of every worker. After the org failed,
-- one batch of all kinds goes first as a probe; after a kind failed, one small batch of that kind.
--
-- A held intent stays held while the caller is speaking.
--
-- An intent whose earlier lease ran out becomes in doubt: its worker may have died after Salesforce
-- committed. At least one intent is leased, however large it is. Oldest first, but with a backlog a
-- quarter of each batch are the newest.
--
-- Returns a list of {id, {field, value, ...}}.
local p, kind, token = ARGV[1], ARGV[2], ARGV[6]
local limit, max_bytes, lease_ms = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local now = clock_ms()

if must_wait(p, 'org', now) or must_wait(p, kind, now) then return {} end

local leases, sizes = p .. 'leases:' .. kind, p .. 'leased:' .. kind
local max_leases = tonumber(ARGV[7])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
  redis.call('ZREM', leases, gone)
  redis.call('HDEL', sizes, gone)
end
local org_is_tried = is_on_probation(p, 'org')
if org_is_tried and redis.call('EXISTS', p .. 'probe') == 1 then return {} end
if is_on_probation(p, kind) then
  max_leases = 1
  limit = math.min(limit, tonumber(ARGV[8]))
end
if redis.call('ZCARD', leases) >= max_leases then return {} end

local due = p .. 'due:' .. kind
local wanted = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)
if #wanted == limit and limit > 1 then
  -- A backlog: a quarter of the batch goes to callers who are still on the line.
  local newest = redis.call('ZREVRANGEBYSCORE', due, now, '-inf', 'LIMIT', 0, math.ceil(limit / 4))
  local both, is_new = {}, {}
  for i = #newest, 1, -1 do
    both[#both + 1] = newest[i]
    is_new[newest[i]] = true
  end
  for _, id in ipairs(wanted) do
    if #both < limit and not is_new[id] then both[#both + 1] = id end
  end
  wanted = both
end
local leased, bytes = {}, 0

-- True when the batch is full.
local function take(id)
  local key = p .. 'intent:' .. id
  local is = redis.call('HMGET', key, 'state', 'call', 'accepted')
  local state = is[1]
  if state == 'held' and is_held_back(p, is[2], tonumber(is[3]), now) then
    redis.call('ZADD', due, now + 250, id)
  elseif state == 'held' or state == 'due' or state == 'leased' then
    local size = redis.call('HSTRLEN', key, 'payload')
    if #leased > 0 and bytes + size > max_bytes then return true end
    bytes = bytes + size
    if state == 'leased' then redis.call('HSET', key, 'in_doubt', 1) end
    redis.call('HINCRBY', key, 'attempts', 1)
    redis.call('HSET', key, 'state', 'leased', 'lease', token)
    redis.call('ZREM', p .. 'held:' .. kind, id)
    redis.call('ZADD', due, now + lease_ms, id)
    leased[#leased + 1] = {id, redis.call('HGETALL', key)}
  elseif not state or settled[state] then
    redis.call('ZREM', due, id)
  else
    error('unknown state, from another version')
  end
end

for _, id in ipairs(wanted) do
  local is_sound, is_full = pcall(take, id)
  if not is_sound then
    park_unreadable(p, kind, id, now)
  elseif is_full then
    break
  end
end
if #leased > 0 then
  redis.call('HSET', sizes, token, #leased)
  redis.call('ZADD', leases, now + lease_ms, token)
  if org_is_tried then redis.call('SET', p .. 'probe', token, 'PX', lease_ms) end
end
return leased
