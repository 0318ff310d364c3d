#!lua flags=allow-oom
-- include: calls/_call
-- Leases the due intents of a kind to a worker, for a limited time and under a fencing token.
--
-- ARGV  1 prefix, 2 kind, 3 max intents, 4 max payload bytes, 5 lease in ms, 6 token,
--       7 max leases of the kind at a time, 8 max intents of a kind or a tool on probation
--
-- Leases nothing while the org or the kind has to wait, or while the kind has its maximum of batches in
-- progress: a Salesforce that hangs must not take every thread of every worker. After the org failed,
-- one batch of all kinds goes first as a probe; after a kind failed, one small batch of that kind.
--
-- The intents of a tool that has to wait, or that an operator paused, are set aside for SET_ASIDE_MS, so that
-- they take no place in a batch and others of the kind go on. After its wait a few of them are tried.
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
local SET_ASIDE_MS, PROBED_MS, MAX_ROUNDS = 15000, 1000, 25

local function wanted_now()
  local wanted = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)
  if #wanted < limit or limit == 1 then return wanted end
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
  return both
end

-- Of each tool that failed or is paused: how many of its intents this batch may take, and when the others
-- are looked at again.
local stopped_tools = {}
for _, what in ipairs(redis.call('HKEYS', p .. 'waits')) do
  local wait = wait_of(p, what)
  if wait['until'] > now then
    stopped_tools[what] = {left = 0, again_at = math.min(wait['until'], now + SET_ASIDE_MS)}
  elseif wait.failures_in_a_row > 0 then
    stopped_tools[what] = {left = tonumber(ARGV[8]), again_at = now + PROBED_MS}
  end
end
for _, what in ipairs(redis.call('SMEMBERS', p .. 'paused')) do
  stopped_tools[what] = {left = 0, again_at = now + SET_ASIDE_MS}
end

-- True when the intent's tool has to wait: then the intent is due again later.
local function is_set_aside(id, key, state, source)
  local stopped = source ~= kind and stopped_tools[source]
  if not stopped then return false end
  stopped.left = stopped.left - 1
  if stopped.left >= 0 then return false end
  if state == 'leased' then
    redis.call('HSET', key, 'in_doubt', 1)
    redis.call('HDEL', key, 'lease')
  end
  redis.call('HSET', key, 'state', 'due')
  redis.call('ZREM', p .. 'held:' .. kind, id)
  redis.call('ZADD', due, stopped.again_at, id)
  return true
end

local leased, bytes = {}, 0

-- True when the batch is full.
local function take(id)
  local key = p .. 'intent:' .. id
  local is = redis.call('HMGET', key, 'state', 'call', 'accepted', 'tool', 'agent')
  local state = is[1]
  if state == 'held' and is_held_back(p, is[2], tonumber(is[3]), now) then
    redis.call('ZADD', due, now + 250, id)
  elseif state == 'held' or state == 'due' or state == 'leased' then
    if is_set_aside(id, key, state, source_of(kind, is[4], is[5])) then return false end
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

local rounds = 0
repeat
  local wanted = wanted_now()
  rounds = rounds + 1
  for _, id in ipairs(wanted) do
    local is_sound, is_full = pcall(take, id)
    if not is_sound then
      park_unreadable(p, kind, id, now)
    elseif is_full then
      break
    end
  end
until #leased > 0 or #wanted < limit or rounds == MAX_ROUNDS
if #leased > 0 then
  redis.call('HSET', sizes, token, #leased)
  redis.call('ZADD', leases, now + lease_ms, token)
  if org_is_tried then redis.call('SET', p .. 'probe', token, 'PX', lease_ms) end
end
return leased
