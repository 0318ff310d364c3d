#!lua flags=allow-oom
-- include: calls/_call
-- What is open and what is parked, for monitoring. The cost does not grow with the number of intents.
--
-- ARGV  1 prefix, 2 ms until personal data goes, 3 ms until the receipt goes, 4... kinds; those of
--       the teams' own tools are noted in the store
--
-- Also removes stale members that an older version left in the sets `held`, `waiting` and `parked:live`.
--
-- Returns JSON: {accepted, parked, broken (parked, the caller was promised it, and the call is over),
-- oldest_due_ms (age of the oldest intent that a worker should have taken by now; those that wait for
-- others count too), swept_ms_ago, purged_ms_ago, retention_lag_ms (how long ago the oldest should have
-- been purged), kinds = {kind = {held, waiting, due, leased}}}. -1 where there is none.
local p, data_ms, receipt_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local STALE_MS = 60000
local now = clock_ms()

local function first_score(key)
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return first[2] and tonumber(first[2])
end

local function leased_now(kind)
  local count = 0
  for _, token in ipairs(redis.call('ZRANGEBYSCORE', p .. 'leases:' .. kind, now, '+inf')) do
    count = count + (tonumber(redis.call('HGET', p .. 'leased:' .. kind, token)) or 0)
  end
  return count
end

-- An older version does not remove followers from this set when it releases them.
local function remove_released(kind)
  for _, id in ipairs(redis.call('ZRANGE', p .. 'waiting:' .. kind, 0, 99)) do
    local is = redis.pcall('HMGET', p .. 'intent:' .. id, 'state', 'waiting')
    if is.err or is[1] ~= 'held' or is[2] == '0' then redis.call('ZREM', p .. 'waiting:' .. kind, id) end
  end
end

local kinds, names = {}, all_kinds(p, 4)
for _, kind in ipairs(names) do
  redis.call('ZREMRANGEBYSCORE', p .. 'held:' .. kind, '-inf', now - STALE_MS)
  remove_released(kind)
  local held, leased = redis.call('ZCARD', p .. 'held:' .. kind), leased_now(kind)
  kinds[kind] = {
    held = held,
    waiting = redis.call('ZCARD', p .. 'waiting:' .. kind),
    due = math.max(0, redis.call('ZCARD', p .. 'due:' .. kind) - held - leased),
    leased = leased,
  }
end

local live = redis.call('HGETALL', p .. 'parked:live')
for i = 1, #live, 2 do
  if not is_live(p, live[i + 1]) then redis.call('HDEL', p .. 'parked:live', live[i]) end
end

local lag = 0
for key, keep_ms in pairs({settled = data_ms, receipts = receipt_ms}) do
  local at = first_score(p .. key)
  if at then lag = math.max(lag, now - keep_ms - at) end
end

local function since(key)
  local at = tonumber(redis.call('GET', key) or '')
  return at and now - at or -1
end

return cjson.encode({
  accepted = redis.call('ZCARD', p .. 'intents'),
  parked = redis.call('ZCARD', p .. 'parked'),
  broken = redis.call('ZCARD', p .. 'parked:said') - redis.call('HLEN', p .. 'parked:live'),
  oldest_due_ms = oldest_due_ms(p, names, now),
  swept_ms_ago = since(p .. 'sweep:last'),
  purged_ms_ago = since(p .. 'retention:last'),
  retention_lag_ms = lag,
  kinds = kinds,
})
