-- What the journal's scripts ask about a call. record_event.lua says what the keys hold.

-- True while the caller's speech holds a write back: until the caller's next final transcript, two
-- seconds of silence, or fifteen seconds after acceptance. Words that correct the request hold it for
-- three seconds more, which gives the agent time to send the correction. Reads the signs of speech in
-- the order of their own times (shared/calls/speech.py defines them).
--
-- A click or a cough does not count as speech: one short word that ends within 300 ms.
local CLICK_MS, SILENCE_MS, CORRECTED_MS, MAX_HELD_MS = 300, 2000, 3000, 15000

local function is_held_back(p, call, accepted, now)
  if call == '' or now >= accepted + MAX_HELD_MS then return false end
  local key = p .. 'call:' .. call
  local last_speech_at = tonumber(redis.call('HGET', key, 'last_speech_at'))
  if not last_speech_at then return false end
  local began, spoke, transcribed, open, corrected = nil, -1, -1, false, false
  local signs = redis.call('ZRANGE', key .. ':speech', 0, -1, 'WITHSCORES')
  for i = 1, #signs, 2 do
    local sign, at = string.sub(signs[i], 1, 1), tonumber(signs[i + 1])
    corrected = sign == 'C' or (corrected and sign == 'E')  -- the end of the same speech
    if sign == 'S' then
      began, open = at, true
    elseif sign == 'F' or sign == 'C' then
      transcribed, began, open = at, nil, false
    elseif sign == 'I' then
      spoke = at
    else
      began = began or at
      local words = sign == 'P' and tonumber(string.match(signs[i], '^P(%d+)')) or 0
      if words > 1 or at - began >= CLICK_MS then spoke = at end
      if sign == 'E' then began, open = nil, false end
    end
  end
  if corrected and now - last_speech_at < CORRECTED_MS then return true end
  if open and now - last_speech_at >= CLICK_MS then return true end
  return spoke > transcribed and now - last_speech_at < SILENCE_MS
end

-- True while the call lasts, as far as its events say.
local function is_live(p, call)
  local is = redis.call('HMGET', p .. 'call:' .. call, 'id', 'ended')
  return is[1] and not is[2]
end
