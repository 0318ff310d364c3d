-- include: calls/_speech
-- Records a sign of the caller's speech, and nothing else, as record_event does it.
--
-- ARGV  1 key of the call, 2 sign, 3 its own time (ms), 4 life_ms, 5 precision_ms
--
-- Returns 0 for a call that record_event has to look at: one that is not stored, was erased, or is reported.
local key = ARGV[1]
local is = redis.call('HMGET', key, 'since', 'erased', 'reported', 'closed')
if not is[1] or is[2] or is[3] or is[4] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
add_speech(key, ARGV[2], tonumber(ARGV[3]), now, tonumber(ARGV[4]), tonumber(ARGV[5]))
return 1
