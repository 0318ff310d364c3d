-- Notes what one event tells of its call, in one step; gives back what is known of the call.
--
-- ARGV[1]  JSON object:
--   prefix, id      the call's
--   life_ms         how long its state is kept after this event; reported_life_ms: once its report was
--                   taken down, and then nothing more is kept of its speech
--   fields          object of hash fields; what an event lacks is not among them, since later events
--                   may tell less than earlier ones
--   speech          "" or a sign of speech (see shared/calls/speech.py), and speech_at (ms, its own time)
--   utterance       "" or a final transcript as JSON, and digest, its name
--   is_sign_of_life   true for types that only a call that lasts, or ends, sends
--   retraction      true when the caller's words, at speech_at, take back what was asked for
--
-- Keys, under prefix .. "call:" .. id:
--   (itself)        hash: id, number, direction, control_url, ended ("1"); since (ms, first event);
--                   heard (ms, when the last sign of the caller's speech arrived); closed ("1": its
--                   close-out is in the journal), reported ("1": with its report), summary (of that)
--   :speech         sorted set: the last 64 signs of speech as {sign}@{time}, by their own time. A set:
--                   the order of arrival and repeats make no difference
--   :transcript     hash: digest → utterance
--   :retractions    sorted set of the same times: the caller took something back then
-- and prefix .. "calls": sorted set of calls that are to be closed out, by their last event (ms).
--
-- Returns {1 when this event was the first to tell the caller's number, else 0; {field, value, ...}}.
local event = cjson.decode(ARGV[1])
local key = event.prefix .. 'call:' .. event.id
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local had = redis.call('HGET', key, 'number')
for name, value in pairs(event.fields) do redis.call('HSET', key, name, value) end
redis.call('HSETNX', key, 'since', now)
if redis.call('HEXISTS', key, 'reported') == 1 then
  event.life_ms, event.speech, event.utterance = event.reported_life_ms, '', ''
end
if event.speech ~= '' then
  redis.call('ZADD', key .. ':speech', event.speech_at,
    string.format('%s@%.0f', event.speech, event.speech_at))
  redis.call('ZREMRANGEBYRANK', key .. ':speech', 0, -65)
  redis.call('PEXPIRE', key .. ':speech', event.life_ms)
  redis.call('HSET', key, 'heard', now)
end
if event.utterance ~= '' then
  redis.call('HSET', key .. ':transcript', event.digest, event.utterance)
  redis.call('PEXPIRE', key .. ':transcript', event.life_ms)
end
if event.retraction then
  redis.call('ZADD', key .. ':retractions', event.speech_at, event.speech_at)
  redis.call('PEXPIRE', key .. ':retractions', event.life_ms)
end
redis.call('PEXPIRE', key, event.life_ms)
if event.is_sign_of_life and redis.call('HEXISTS', key, 'closed') == 0 then
  redis.call('ZADD', event.prefix .. 'calls', now, event.id)
end
local is_first = not had and redis.call('HEXISTS', key, 'number') == 1
return {is_first and 1 or 0, redis.call('HGETALL', key)}
