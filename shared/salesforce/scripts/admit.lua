#!lua flags=allow-oom
-- include: _breaker, _window
-- Decides whether one more request may go to Salesforce now. If so, enters it into the budget.
--
-- ARGV[1]  JSON object, with what _breaker.lua and _window.lua read, and:
--   prefix, id
--   use             "lookup", "write" or "check" (an operator's: neither breaker nor reserve stops it)
--   lasts_ms        how long the request may take at most
--   peek            true: only asks, enters nothing
--   forced          true: the replay of a permitted request; only a full window delays it
--   reserve         share of the daily allowance that writes leave to lookups, 0 to 1
--   look_again_ms   how long "the daily allowance is spent" is believed
--
-- Keys, under prefix, besides those of the breaker and the window:
--   flying:{use}  sorted set: requests in flight by the time they left
--   usage         hash: used, limit (of the rolling 24 hours), at (ms), asked (ms)
--   last_write    string: when the last write left (ms)
--
-- Returns {"go", is probe (0|1), pressure (0 to 1000)}, or the reason against it and when to ask again:
--   {"breaker", ms}  {"daily", ms}  {"window", ms}
local want = cjson.decode(ARGV[1])
local p = want.prefix
local now = clock_ms()
local is_write = want.use == 'write'
local flying = p .. 'flying:' .. want.use
local probe = 0

if want.use == 'lookup' and not want.forced then
  local wait_ms
  wait_ms, probe = breaker_ask(p .. 'breaker', now, want, flying)
  if wait_ms then return {'breaker', wait_ms} end
end

local pressure, spacing_ms, looks_again = 0, 0, false
local usage = redis.call('HMGET', p .. 'usage', 'used', 'limit', 'at', 'asked')
if usage[2] and not want.forced then
  local used, limit = tonumber(usage[1]), tonumber(usage[2])
  local floor = is_write and want.reserve * limit or 0
  if limit - used <= floor then
    pressure = 1
    local seen = math.max(tonumber(usage[3]), tonumber(usage[4] or 0))
    if now - seen < want.look_again_ms then return {'daily', want.look_again_ms - (now - seen)} end
    looks_again = true
  elseif used > limit / 2 then
    -- Above half of the allowance, writes are spread over the day: the less is left, the further.
    pressure = (used / limit - 0.5) / (0.5 - want.reserve)
    spacing_ms = 2 * pressure * 86400000 / (limit * (1 - want.reserve))
  end
end

local window_wait_ms, tight, window_spacing_ms = window_ask(p, now, want)
if window_wait_ms then return {'window', window_wait_ms} end
pressure, spacing_ms = math.max(pressure, tight), math.max(spacing_ms, window_spacing_ms)
if is_write and spacing_ms > 0 and not want.forced then
  local wait_ms = tonumber(redis.call('GET', p .. 'last_write') or 0) + spacing_ms - now
  if wait_ms >= 1 then return {'window', math.floor(wait_ms)} end
end

if not want.peek then
  if probe == 1 then breaker_probes(p .. 'breaker', now, want) end
  if looks_again then redis.call('HSET', p .. 'usage', 'asked', now) end
  redis.call('ZREMRANGEBYSCORE', flying, '-inf', now - 300000)  -- their process died
  redis.call('ZADD', flying, now, want.id)
  redis.call('PEXPIRE', flying, TTL_MS)
  window_enter(p, now, want)
  if is_write then redis.call('SET', p .. 'last_write', now, 'PX', 86400000) end
end
return {'go', probe, math.floor(1000 * within(pressure, 0, 1))}
