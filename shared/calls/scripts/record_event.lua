-- include: calls/_proof, calls/_speech
-- Records what one event says about its call, in one step. Returns the call's state.
--
-- ARGV[1]  JSON object:
--   prefix, id      of the call
--   life_ms         how long the state is stored after this event; reported_life_ms: the same once the
--                   report is recorded, and then no more speech is stored
--   precision_ms    an expiry, or a time in prefix .. "calls", is not written again within this time
--   fields          object of hash fields. Omits what the event lacks, since later events may say less
--                   than earlier ones
--   control_url     "" or the call's control URL, and control_origin (scheme, host, port)
--   speech          "" or a sign of speech (see shared/calls/speech.py), and speech_at (ms, its own time)
--   utterance       "" or a final transcript as JSON, and digest, its name
--   is_sign_of_life   true for types that only a call sends that lasts or ends
--   senses          letters: what the words of a final transcript mean (shared/calls/words.py), at speech_at
--   claims          list: the ids of phrases by which the agent claims to have done something
--                   (shared/calls/claims.py), at speech_at
--   correct_after_ms   when a claim is looked at again, to correct the agent; 0 for never
--   number          of the caller, as a carrier set it; "" without one
--   shown           list of the numbers that the event names for the caller, verified or not
--   attestation     "" or the attestation of that number (shared/domain/attestation.py)
--   at              the event's own time (ms), 0 when it has none
--   update          "" or what a status update says about a transfer or the end, as JSON, and
--                   update_at, "{status}@{its own time}"
--   provider_id     "" or the call's id at the phone provider
--   agent           "" or the agent folder that claims the event; moves: true when a call that another folder
--                   answers goes over to it
--   keeps_words     object: name of an agent folder → whether its calls' transcripts are stored; "" stands
--                   for every other name
--   max_utterances, max_transcript_bytes   limits for the call's stored transcript
--
-- Keys, under prefix .. "call:" .. id:
--   (itself)        hash: id, number, shown (the first number named), two_numbers ("1": another number
--                   was named as well), direction; ended ("1", or "quiet" when no event said so), over
--                   ("1": an event said that the call ended); control_url, control_origin (fixed by the
--                   call's first control URL; a later one on another origin is ignored and counted);
--                   since (ms, first event), began (ms, the earliest of the events' own times);
--                   asked_before (how many requests for snapshots had been sent at the first event);
--                   last_speech_at (ms, when the last sign of the caller's speech arrived); closed ("1":
--                   its end is in the journal), reported ("1": by its report), summary (of the report);
--                   transcript_bytes, transcript_cut ("1": the limits were reached); fallback, reached
--                   ("1": web/twilio.py dialled a person, and somebody answered); assistant_language (a tag),
--                   language (in which the last accepted request was answered), agent (the agent folder that
--                   answers the call), agents_before (those that answered it earlier, with "/" after each),
--                   proof (JSON: what the caller has shown about themselves), transfers (how
--                   often the call was transferred), forwarded_at (update_at of the last status update about it),
--                   secrets_said (see shared/calls/secrets_said.py), attestation (the lowest that an event showed)
--   :speech         sorted set: the last 64 signs of speech as {sign}@{time}, by their own time. Being a
--                   set, it does not depend on the order of arrival or on repeats
--   :transcript     hash: digest → utterance
--   :senses         sorted set by the same times: {letters}@{time}, the last 64
--   :claims         sorted set by the same times: {phrase}@{time}, the last 64
--   :updates        hash: update_at → update, at most 8 of each status
-- and prefix .. "call_updates": hash of counts; "moved" counts the ignored control URLs;
-- prefix .. "calls": sorted set of calls whose end is not processed yet, by their last event (ms), or
-- up to precision_ms before it;
-- prefix .. "calls:two_numbers": how many calls named two numbers;
-- prefix .. "calls:attestations": hash: level → how many calls showed it first;
-- prefix .. "claims:due": sorted set: {call} {phrase}@{time}, by when it is looked at again; the last 10,000;
-- prefix .. "call-of:" .. provider_id: the call's id.
--
-- A call that was ended without its report goes on with any sign of life. Its end is then processed
-- again, which amends its Task.
--
-- An event of a call that was erased is not recorded (journal/scripts/erase.lua).
--
-- Writes only what changes. A server that syncs every write answers an event that changes nothing
-- without waiting for its disk.
--
-- Returns {1 when this event is the first with the caller's number, else 0; 1 when it is the first with a
-- second number, else 0; {field, value, ...}}.
local event = cjson.decode(ARGV[1])
local key = event.prefix .. 'call:' .. event.id
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local call = {}
local stored = redis.call('HGETALL', key)
for i = 1, #stored, 2 do call[stored[i]] = stored[i + 1] end
if call.erased then return {0, 0, stored} end

local function set(name, value)
  if call[name] ~= value then
    redis.call('HSET', key, name, value)
    call[name] = value
  end
end

local function drop(name)
  redis.call('HDEL', key, name)
  call[name] = nil
end

local is_first = event.number ~= '' and not call.number
if is_first then set('number', event.number) end
local is_second = false
for _, number in ipairs(event.shown) do
  if not call.shown then set('shown', number) end
  if call.shown ~= number and not call.two_numbers then
    is_second = true
    set('two_numbers', '1')
    redis.call('INCR', event.prefix .. 'calls:two_numbers')
  end
end
local RANK = {failed = 0, none = 1, C = 2, B = 3, A = 4}
if event.attestation ~= '' then
  if not call.attestation then
    redis.call('HINCRBY', event.prefix .. 'calls:attestations', event.attestation, 1)
  end
  if not call.attestation or RANK[event.attestation] < (RANK[call.attestation] or 0) then
    set('attestation', event.attestation)
  end
end
for name, value in pairs(event.fields) do set(name, value) end
if event.agent ~= '' and call.agent ~= event.agent and (event.moves or not call.agent) then
  if call.agent then
    -- What was shown to one folder counts in no other, nor here when the call comes back.
    local before = call.agents_before or '/'
    if not string.find(before, '/' .. call.agent .. '/', 1, true) then
      set('agents_before', before .. call.agent .. '/')
    end
    set('transfers', ms((call.transfers or 0) + 1))
    if not is_lock(call.proof) then drop('proof') end
  end
  set('agent', event.agent)
end
if not call.since then set('since', ms(now)) end
if not call.asked_before then set('asked_before', redis.call('GET', event.prefix .. 'snapshots') or '0') end
local life_ms = event.life_ms
if call.reported then
  life_ms, event.speech, event.utterance, event.update = event.reported_life_ms, '', '', ''
  event.claims = {}
end

local keeps_words = event.keeps_words[call.agent or '']
if keeps_words == nil then keeps_words = event.keeps_words[''] end
if not keeps_words then
  event.utterance = ''
  if event.update ~= '' then
    local update = cjson.decode(event.update)
    update.transcript = nil
    event.update = next(update) and cjson.encode(update) or ''
  end
  if call.transcript_bytes then  -- until an event named the folder, the words were stored
    redis.call('DEL', key .. ':transcript')
    drop('transcript_bytes')
  end
end

local function expire(name) renew(name, life_ms, event.precision_ms) end

local began = tonumber(call.began)
if event.at > 0 and not (began and began <= event.at) then set('began', ms(event.at)) end
if event.control_url ~= '' then
  if not call.control_origin then set('control_origin', event.control_origin) end
  if call.control_origin == event.control_origin then
    set('control_url', event.control_url)
  else
    redis.call('HINCRBY', event.prefix .. 'call_updates', 'moved', 1)
  end
end
if event.speech ~= '' then
  add_speech(key, event.speech, event.speech_at, now, life_ms, event.precision_ms)
end
local transcript = key .. ':transcript'
if event.utterance ~= '' and redis.call('HEXISTS', transcript, event.digest) == 0 then
  local bytes = tonumber(call.transcript_bytes or 0) + #event.utterance
  if bytes > event.max_transcript_bytes
    or redis.call('HLEN', transcript) >= event.max_utterances then
    set('transcript_cut', '1')
  else
    redis.call('HSET', transcript, event.digest, event.utterance)
    set('transcript_bytes', ms(bytes))
  end
end
expire(transcript)
if event.senses ~= '' then
  redis.call('ZADD', key .. ':senses', event.speech_at, event.senses .. '@' .. ms(event.speech_at))
  redis.call('ZREMRANGEBYRANK', key .. ':senses', 0, -65)
  expire(key .. ':senses')
end
for _, phrase in ipairs(event.claims) do
  local said = phrase .. '@' .. ms(event.speech_at)
  if redis.call('ZADD', key .. ':claims', event.speech_at, said) == 1 and event.correct_after_ms > 0 then
    local due = event.prefix .. 'claims:due'
    redis.call('ZADD', due, now + event.correct_after_ms, event.id .. ' ' .. said)
    redis.call('ZREMRANGEBYRANK', due, 0, -10001)
  end
end
if #event.claims > 0 then
  redis.call('ZREMRANGEBYRANK', key .. ':claims', 0, -65)
  expire(key .. ':claims')
end
if string.sub(event.update_at or '', 1, 11) == 'forwarding@' and call.forwarded_at ~= event.update_at then
  -- Somebody else may speak from now on, who has shown nothing.
  set('forwarded_at', event.update_at)
  set('transfers', ms((call.transfers or 0) + 1))
  if not is_lock(call.proof) then drop('proof') end
end
if event.update ~= '' and event.update ~= '{}' then
  local status, alike = string.match(event.update_at, '^(.*)@'), 0
  for _, other in ipairs(redis.call('HKEYS', key .. ':updates')) do
    if string.match(other, '^(.*)@') == status then alike = alike + 1 end
  end
  if alike < 8 then
    redis.call('HSET', key .. ':updates', event.update_at, event.update)
  end
  expire(key .. ':updates')
end
if event.provider_id ~= '' then
  redis.call('SET', event.prefix .. 'call-of:' .. event.provider_id, event.id, 'NX', 'PX', life_ms)
end
expire(key)
if event.is_sign_of_life and call.closed and not call.reported then
  drop('closed')
  if call.ended == 'quiet' then drop('ended') end
end
if event.is_sign_of_life and not call.closed then
  local calls = event.prefix .. 'calls'
  local noted = tonumber(redis.call('ZSCORE', calls, event.id) or '')
  if not noted or math.abs(now - noted) >= event.precision_ms then
    redis.call('ZADD', calls, now, event.id)
  end
end
local state = {}
for name, value in pairs(call) do
  state[#state + 1] = name
  state[#state + 1] = value
end
return {is_first and 1 or 0, is_second and 1 or 0, state}
