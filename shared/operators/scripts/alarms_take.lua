#!lua flags=allow-oom
-- Takes the message of an alarm that is due for the longest time. Nobody else gets it for a while.
--
-- ARGV  1 prefix, 2 ms for which it is this sender's
--
-- Returns JSON {cause, channel, state, since, over, text, attempts (with this one)}, or nothing.
local key = ARGV[1] .. 'alarms'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local first
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do
  local alarm = cjson.decode(flat[i + 1])
  for channel, message in pairs(alarm.left or {}) do
    if message.due <= now and (not first or message.due < first.message.due) then
      first = {cause = flat[i], channel = channel, alarm = alarm, message = message}
    end
  end
end
if not first then return end
local alarm, message = first.alarm, first.message
message.due, message.attempts = now + tonumber(ARGV[2]), message.attempts + 1
redis.call('HSET', key, first.cause, cjson.encode(alarm))
return cjson.encode({
  cause = first.cause, channel = first.channel, state = alarm.state, since = alarm.since, over = alarm.over,
  text = alarm.text, attempts = message.attempts,
})
