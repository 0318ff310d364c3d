#!lua flags=allow-oom
-- Decides whether one more request may go to Salesforce now. If so, enters it into the budget.
--
-- ARGV[1]  JSON object:
--   prefix, id
--   use             "lookup", "write" or "check" (an operator's: neither breaker nor reserve stops it)
--   lasts_ms        how long the request may take at most
--   waited_ms       how long it has waited for its permit
--   hold_ms         how long it may be held back so that others can share it; 0 when it goes alone
--   peek            true: only asks, enters nothing
--   forced          true: the replay of a permitted request; only a full window delays it
--   window          nil, or {requests, ms}: the rate limit
--   reserve         share of the daily allowance that writes leave to lookups, 0 to 1
--   look_again_ms   how long "the daily allowance is spent" is believed
--   slow_ms, max_stuck   max_stuck lookups in flight for longer than slow_ms mean that Salesforce hangs
--   first_open_ms, max_open_ms, dice (0 to 1)   how long the breaker opens
--
-- Keys, under prefix:
--   breaker       hash: state, since, until, failures_in_a_row, reason, probe_until; ok, bad, from (counts)
--   flying:{use}  sorted set: requests in flight by the time they left
--   window:{use}  sorted set: requests by the time they stop counting. A request counts from now until
--                 one window after its end. Salesforce counts it somewhere in between, so it never
--                 counts more than we do
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
  local key = p .. 'breaker'
  local is = redis.call('HMGET', key, 'state', 'since', 'until', 'probe_until')
  if is[1] == 'open' then
    local wait_ms = math.max(tonumber(is[3]), tonumber(is[4])) - now
    if wait_ms > 0 then return {'breaker', wait_ms} end
    probe = 1
  elseif redis.call('ZCOUNT', flying, '(' .. (is[2] or 0), now - want.slow_ms) >= want.max_stuck then
    return {'breaker', open_breaker(key, now, want, 'HANGING')}
  end
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

if want.window then
  local requests, window_ms = want.window[1], want.window[2]
  local count = {}
  for _, use in ipairs({'lookup', 'write', 'check'}) do
    redis.call('ZREMRANGEBYSCORE', p .. 'window:' .. use, '-inf', now)
    count[use] = redis.call('ZCARD', p .. 'window:' .. use)
  end
  local lookups, writes = count.lookup, count.write
  local spent = lookups + writes + count.check
  -- 0 while a fifth of the window is spent, 1 when three fifths are.
  local tight = within((spent / requests - 0.2) / 0.4, 0, 1)
  pressure = math.max(pressure, tight)
  if spent >= requests then
    return {'window', 50}
  elseif want.forced then
    tight = 0
  elseif is_write then
    -- Lookups get what they used in the last window and some more: from a fifth to three fifths.
    local share = requests - within(1.2 * lookups + 0.05 * requests, 0.2 * requests, 0.6 * requests)
    if writes >= share then return {'window', 100} end
    spacing_ms = math.max(spacing_ms, tight * window_ms / share)
  elseif want.waited_ms < want.hold_ms * tight then
    return {'window', 20}
  end
end
if is_write and spacing_ms > 0 and not want.forced then
  local wait_ms = tonumber(redis.call('GET', p .. 'last_write') or 0) + spacing_ms - now
  if wait_ms >= 1 then return {'window', math.floor(wait_ms)} end
end

if not want.peek then
  if probe == 1 then redis.call('HSET', p .. 'breaker', 'probe_until', now + want.lasts_ms) end
  if looks_again then redis.call('HSET', p .. 'usage', 'asked', now) end
  redis.call('ZREMRANGEBYSCORE', flying, '-inf', now - 300000)  -- their process died
  redis.call('ZADD', flying, now, want.id)
  redis.call('PEXPIRE', flying, TTL_MS)
  if want.window then
    redis.call('ZADD', p .. 'window:' .. want.use, now + want.lasts_ms + want.window[2], want.id)
    redis.call('PEXPIRE', p .. 'window:' .. want.use, TTL_MS)
  end
  if is_write then redis.call('SET', p .. 'last_write', now, 'PX', 86400000) end
end
return {'go', probe, math.floor(1000 * within(pressure, 0, 1))}
