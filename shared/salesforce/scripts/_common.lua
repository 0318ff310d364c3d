-- In front of every script here: the server's clock, the keys' lifetime, and opening the breaker.

local function clock_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Keys of an org and app that the service no longer works with expire after a week.
local TTL_MS = 7 * 86400000

local function within(value, least, most)
  return math.max(least, math.min(most, value))
end

-- Opens the circuit breaker, each time in a row for twice as long. Half of that time is jitter.
local function open_breaker(key, now, want, reason)
  local failures_in_a_row = tonumber(redis.call('HGET', key, 'failures_in_a_row') or 0)
  local open_ms = math.min(want.max_open_ms, want.first_open_ms * 2 ^ math.min(failures_in_a_row, 10))
  open_ms = math.max(open_ms * (0.5 + 0.5 * want.dice), want.retry_after_ms or 0)
  redis.call('HSET', key, 'state', 'open', 'since', now, 'until', math.floor(now + open_ms),
    'failures_in_a_row', failures_in_a_row + 1, 'probe_until', 0, 'reason', reason)
  return math.floor(open_ms)
end
