#!lua flags=allow-oom
-- Cancels an intent for its caller, as long as nothing of it can have reached Salesforce.
--
-- ARGV  1 prefix, 2 id, 3 reason, 4 ms a wake-up counts as on its way
--
-- A parked intent that was never written is cancelled too. One that may have been written stays parked,
-- with the reason NOT_WANTED. The fingerprint is removed, so the same request later is a new one.
--
-- Returns {state after, kind, kind, ...}: "cancelled", or the state that forbids it ("leased",
-- "delivered", "parked", "in_doubt" when an attempt may have been committed, "" when unknown); then
-- the kinds to notify.
local p, id, wake_up_ms = ARGV[1], ARGV[2], tonumber(ARGV[4])
local key = p .. 'intent:' .. id
local now = clock_ms()
local is = redis.call('HMGET', key, 'state', 'kind', 'call', 'fingerprint', 'in_doubt')
if not is[1] then return {''} end
if is[1] ~= 'held' and is[1] ~= 'due' and is[1] ~= 'parked' then return {is[1]} end
if is[5] == '1' then
  if is[1] == 'parked' then
    redis.call('HSET', key, 'reason', 'NOT_WANTED')
    return {'parked'}
  end
  return {'in_doubt'}
end

redis.call('HSET', key, 'state', 'cancelled', 'reason', ARGV[3], 'settled', now)
remove_from_open(p, is[2], id)
unpark(p, id)
redis.call('ZADD', p .. 'settled', now, id)
if is[4] ~= '' then redis.call('HDEL', p .. 'call:' .. is[3] .. ':requests', is[4]) end
local reply = {'cancelled'}
release_followers(p, id, now, wake_up_ms, reply)
return reply
