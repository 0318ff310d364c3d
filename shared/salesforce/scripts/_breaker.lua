-- The circuit breaker of the lookups. It opens when lookups fail or hang. After a time it lets one
-- lookup, the probe, through; the probe's end closes it or opens it for longer.
--
-- The scripts' argument `want` has for it:
--   slow_ms, max_stuck   max_stuck lookups in flight for longer than slow_ms mean that Salesforce hangs;
--                        an answer that took slow_ms or longer counts as bad
--   count_ms, max_bad    lookups are counted for count_ms; max_bad bad ones, and no fewer than good ones,
--                        open the breaker
--   first_open_ms, max_open_ms, dice (0 to 1), retry_after_ms (or nil)   how long it opens
--
-- Key: prefix .. "breaker", a hash: state, since (when it opened or closed, or its probe left), until,
-- failures_in_a_row, reason, probe_until; ok, bad, from (counts). It is open from since to until: when since is
-- in the future, the clock has jumped back, and the wait is over.

-- Opens the breaker, each time in a row for twice as long. Half of that time is jitter.
local function open_breaker(key, now, want, reason)
  local failures_in_a_row = tonumber(redis.call('HGET', key, 'failures_in_a_row') or 0)
  local open_ms = math.min(want.max_open_ms, want.first_open_ms * 2 ^ math.min(failures_in_a_row, 10))
  open_ms = math.max(open_ms * (0.5 + 0.5 * want.dice), want.retry_after_ms or 0)
  redis.call('HSET', key, 'state', 'open', 'since', now, 'until', math.floor(now + open_ms),
    'failures_in_a_row', failures_in_a_row + 1, 'probe_until', 0, 'reason', reason)
  return math.floor(open_ms)
end

-- Whether a lookup may go. flying: the key of the lookups in flight, by the time they left.
-- Returns the ms to wait (nil: it may go), and 1 if the lookup is the probe, otherwise 0.
local function breaker_ask(key, now, want, flying)
  local is = redis.call('HMGET', key, 'state', 'since', 'until', 'probe_until')
  local since = is[2] and tonumber(is[2]) <= now and is[2]
  if is[1] == 'open' then
    local wait_ms = math.max(tonumber(is[3]), tonumber(is[4])) - now
    if since and wait_ms > 0 then return wait_ms, 0 end
    return nil, 1
  end
  if redis.call('ZCOUNT', flying, '(' .. (since or 0), now - want.slow_ms) >= want.max_stuck then
    return open_breaker(key, now, want, 'HANGING'), 0
  end
  return nil, 0
end

-- The probe leaves: until it ends, or lasts_ms have passed, no other lookup goes.
local function breaker_probes(key, now, want)
  redis.call('HSET', key, 'since', now, 'probe_until', now + want.lasts_ms)
end

-- The probe was never sent: the next lookup is the probe.
local function breaker_probe_unused(key)
  redis.call('HSET', key, 'probe_until', 0)
end

-- Counts a lookup that ended, and opens or closes the breaker.
local function breaker_enter(key, now, want)
  redis.call('HSETNX', key, 'from', now)
  local is_bad = want.outcome == 'bad' or (want.outcome == 'ok' and want.took_ms >= want.slow_ms)
  local reason = want.code ~= '' and want.code or 'SLOW'
  if redis.call('HGET', key, 'state') == 'open' then
    if not want.probe then return end  -- it left before the breaker opened
    if is_bad then
      open_breaker(key, now, want, reason)
    else
      redis.call('HSET', key, 'state', 'closed', 'since', now, 'failures_in_a_row', 0, 'ok', 0, 'bad', 0, 'from', now)
    end
    return
  end
  if math.abs(now - tonumber(redis.call('HGET', key, 'from') or 0)) > want.count_ms then
    redis.call('HSET', key, 'ok', 0, 'bad', 0, 'from', now)
  end
  if not is_bad then
    redis.call('HINCRBY', key, 'ok', 1)
  elseif redis.call('HINCRBY', key, 'bad', 1) >= want.max_bad
    and tonumber(redis.call('HGET', key, 'bad')) >= tonumber(redis.call('HGET', key, 'ok') or 0) then
    open_breaker(key, now, want, reason)
  end
end
