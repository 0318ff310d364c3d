-- Notes what an event tells of its call; gives back all that is known.
--
-- ARGV  1 key of the call's hash, 2 life in s, 3... field, value pairs (what an event lacks is not
--       among them: later events may tell less than earlier ones)
--
-- Fields of the hash: id, number, direction, control_url, ended ("1"), since (ms, the first event).
--
-- Returns {1 when this event was the first to tell the caller's number, else 0; {field, value, ...}}.
local key = ARGV[1]
local time = redis.call('TIME')
local had = redis.call('HGET', key, 'number')
for i = 3, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
redis.call('HSETNX', key, 'since', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('EXPIRE', key, ARGV[2])
local is_first = not had and redis.call('HEXISTS', key, 'number') == 1
return {is_first and 1 or 0, redis.call('HGETALL', key)}
