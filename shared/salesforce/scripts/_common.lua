-- In front of every script here: the server's clock, the keys' lifetime.

local function clock_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Keys of an org and app that the service no longer works with expire after a week.
local TTL_MS = 7 * 86400000

local function within(value, least, most)
  return math.max(least, math.min(most, value))
end
