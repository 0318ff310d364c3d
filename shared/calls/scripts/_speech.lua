local function ms(number) return string.format('%.0f', number) end

local function renew(name, life_ms, precision_ms)
  local left_ms = redis.call('PTTL', name)
  if left_ms > life_ms or left_ms < life_ms - precision_ms then redis.call('PEXPIRE', name, life_ms) end
end

-- A sign of the caller's speech (shared/calls/speech.py), with its own time. The last 64 of a call are stored.
local function add_speech(key, sign, at, now, life_ms, precision_ms)
  local signs = key .. ':speech'
  redis.call('ZADD', signs, at, sign .. '@' .. ms(at))
  redis.call('ZREMRANGEBYRANK', signs, 0, -65)
  renew(signs, life_ms, precision_ms)
  redis.call('HSET', key, 'last_speech_at', ms(now))
end
