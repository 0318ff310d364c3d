-- Records what one event says about its call, in one step. Returns the call's state.
--
-- ARGV[1]  JSON object:
--   prefix, id      of the call
--   life_ms         how long the state is stored after this event; reported_life_ms: the same once the
--                   report is recorded, and then no more speech is stored
--   fields          object of hash fields. Omits what the event lacks, since later events may say less
--                   than earlier ones
--   control_url     "" or the call's control URL, and control_origin (scheme, host, port)
--   speech          "" or a sign of speech (see shared/calls/speech.py), and speech_at (ms, its own time)
--   utterance       "" or a final transcript as JSON, and digest, its name
--   is_sign_of_life   true for types that only a call sends that lasts or ends
--   senses          letters: what the words of a final transcript mean (shared/calls/words.py), at speech_at
--   number          of the caller, as a carrier set it; "" without one
--   shown           list of the numbers that the event names for the caller, verified or not
--   at              the event's own time (ms), 0 when it has none
--   update          "" or what a status update says about a transfer or the end, as JSON, and
--                   update_at, "{status}@{its own time}"
--   provider_id     "" or the call's id at the phone provider
--   max_utterances, max_transcript_bytes   limits for the call's stored transcript
--
-- Keys, under prefix .. "call:" .. id:
--   (itself)        hash: id, number, shown (the first number named), two_numbers ("1": another number
--                   was named as well), direction; ended ("1", or "quiet" when no event said so), over
--                   ("1": an event said that the call ended); control_url, control_origin (fixed by the
--                   call's first control URL; a later one on another origin is ignored and counted);
--                   since (ms, first event), began (ms, the earliest of the events' own times);
--                   last_speech_at (ms, when the last sign of the caller's speech arrived); closed ("1":
--                   its end is in the journal), reported ("1": by its report), summary (of the report);
--                   transcript_bytes, transcript_cut ("1": the limits were reached); fallback, reached
--                   ("1": web/twilio.py dialled a person, and somebody answered)
--   :speech         sorted set: the last 64 signs of speech as {sign}@{time}, by their own time. Being a
--                   set, it does not depend on the order of arrival or on repeats
--   :transcript     hash: digest → utterance
--   :senses         sorted set by the same times: {letters}@{time}, the last 64
--   :updates        hash: update_at → update, at most 8
-- and prefix .. "call_updates": hash of counts; "moved" counts the ignored control URLs;
-- prefix .. "calls": sorted set of calls whose end is not processed yet, by their last event (ms);
-- prefix .. "calls:two_numbers": how many calls named two numbers;
-- prefix .. "call-of:" .. provider_id: the call's id.
--
-- A call that was ended without its report goes on with any sign of life. Its end is then processed
-- again, which amends its Task.
--
-- Returns {1 when this event is the first with the caller's number, else 0; 1 when it is the first with a
-- second number, else 0; {field, value, ...}}.
local event = cjson.decode(ARGV[1])
local key = event.prefix .. 'call:' .. event.id
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local had = redis.call('HGET', key, 'number')
if event.number ~= '' and not had then redis.call('HSET', key, 'number', event.number) end
local is_second = false
for _, number in ipairs(event.shown) do
  redis.call('HSETNX', key, 'shown', number)
  if redis.call('HGET', key, 'shown') ~= number and redis.call('HSETNX', key, 'two_numbers', 1) == 1 then
    is_second = true
    redis.call('INCR', event.prefix .. 'calls:two_numbers')
  end
end
for name, value in pairs(event.fields) do redis.call('HSET', key, name, value) end
redis.call('HSETNX', key, 'since', now)
if redis.call('HEXISTS', key, 'reported') == 1 then
  event.life_ms, event.speech, event.utterance, event.update = event.reported_life_ms, '', '', ''
end
local began = tonumber(redis.call('HGET', key, 'began'))
if event.at > 0 and not (began and began <= event.at) then
  redis.call('HSET', key, 'began', string.format('%.0f', event.at))
end
if event.control_url ~= '' then
  redis.call('HSETNX', key, 'control_origin', event.control_origin)
  if redis.call('HGET', key, 'control_origin') == event.control_origin then
    redis.call('HSET', key, 'control_url', event.control_url)
  else
    redis.call('HINCRBY', event.prefix .. 'call_updates', 'moved', 1)
  end
end
if event.speech ~= '' then
  redis.call('ZADD', key .. ':speech', event.speech_at,
    string.format('%s@%.0f', event.speech, event.speech_at))
  redis.call('ZREMRANGEBYRANK', key .. ':speech', 0, -65)
  redis.call('PEXPIRE', key .. ':speech', event.life_ms)
  redis.call('HSET', key, 'last_speech_at', now)
end
local transcript = key .. ':transcript'
if event.utterance ~= '' and redis.call('HEXISTS', transcript, event.digest) == 0 then
  local bytes = tonumber(redis.call('HGET', key, 'transcript_bytes') or 0) + #event.utterance
  if bytes > event.max_transcript_bytes
    or redis.call('HLEN', transcript) >= event.max_utterances then
    redis.call('HSET', key, 'transcript_cut', '1')
  else
    redis.call('HSET', transcript, event.digest, event.utterance)
    redis.call('HSET', key, 'transcript_bytes', bytes)
  end
end
redis.call('PEXPIRE', transcript, event.life_ms)
if event.senses ~= '' then
  redis.call('ZADD', key .. ':senses', event.speech_at,
    string.format('%s@%.0f', event.senses, event.speech_at))
  redis.call('ZREMRANGEBYRANK', key .. ':senses', 0, -65)
  redis.call('PEXPIRE', key .. ':senses', event.life_ms)
end
if event.update ~= '' and event.update ~= '{}' then
  if redis.call('HLEN', key .. ':updates') < 8 then
    redis.call('HSET', key .. ':updates', event.update_at, event.update)
  end
  redis.call('PEXPIRE', key .. ':updates', event.life_ms)
end
if event.provider_id ~= '' then
  redis.call('SET', event.prefix .. 'call-of:' .. event.provider_id, event.id, 'NX', 'PX', event.life_ms)
end
redis.call('PEXPIRE', key, event.life_ms)
if event.is_sign_of_life and redis.call('HEXISTS', key, 'closed') == 1
  and redis.call('HEXISTS', key, 'reported') == 0 then
  redis.call('HDEL', key, 'closed')
  if redis.call('HGET', key, 'ended') == 'quiet' then redis.call('HDEL', key, 'ended') end
end
if event.is_sign_of_life and redis.call('HEXISTS', key, 'closed') == 0 then
  redis.call('ZADD', event.prefix .. 'calls', now, event.id)
end
local is_first = not had and redis.call('HEXISTS', key, 'number') == 1
return {is_first and 1 or 0, is_second and 1 or 0, redis.call('HGETALL', key)}
