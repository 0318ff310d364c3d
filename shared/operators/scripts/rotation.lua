-- Says since when a secret is being replaced, and when the previous one was last used.
--
-- ARGV  1 prefix, 2 digest that names the rotation, 3 "1" when the previous secret was used now,
--       4 how long this is stored (ms)
--
-- Key, under prefix:
--   rotation:{digest}  hash: since (ms, when this script first ran for the rotation), last_used (ms)
--
-- Returns {now (ms), since, last_used}; last_used is 0 for a secret that was not used.
local p = ARGV[1]
local key = p .. 'rotation:' .. ARGV[2]
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSETNX', key, 'since', now)
if ARGV[3] == '1' then redis.call('HSET', key, 'last_used', now) end
redis.call('PEXPIRE', key, ARGV[4])
return {now, redis.call('HGET', key, 'since'), redis.call('HGET', key, 'last_used') or '0'}
