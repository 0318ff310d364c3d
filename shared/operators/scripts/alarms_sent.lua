#!lua flags=allow-oom
-- Notes what became of a message: it is sent, or given up, or tried again after a while.
--
-- ARGV  1 prefix, 2 id of the cause, 3 channel, 4 state and 5 since of the alarm when the message was
--       taken, 6 ms until the next attempt, "" for none
--
-- Changes nothing when the alarm has another state by now: that has a message of its own.
local key = ARGV[1] .. 'alarms'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('HGET', key, ARGV[2])
if not stored then return end
local alarm = cjson.decode(stored)
local message = alarm.left and alarm.left[ARGV[3]]
if alarm.state ~= ARGV[4] or alarm.since ~= tonumber(ARGV[5]) or not message then return end
if ARGV[6] ~= '' then
  message.due = now + tonumber(ARGV[6])
else
  alarm.left[ARGV[3]] = nil
end
if alarm.state == 'over' and not next(alarm.left) then
  redis.call('HDEL', key, ARGV[2])
else
  redis.call('HSET', key, ARGV[2], cjson.encode(alarm))
end
