-- The window: a rate limit of so many requests in so many ms, for the whole fleet.
--
-- The scripts' argument `want` has for it: window (nil without one, otherwise {requests, ms}),
-- waited_ms and hold_ms (how long a lookup has waited, and how long it may be held back so that others
-- can share it).
--
-- Keys: prefix .. "window:{use}", sorted sets: requests by the time they stop counting. A request counts
-- from now until one window after its end. Salesforce counts it somewhere in between, so it never counts
-- more than we do.

-- Whether a request fits into the window.
-- Returns the ms to wait (nil: it may go), the pressure (0 to 1), and the ms between two writes.
local function window_ask(p, now, want)
  if not want.window then return nil, 0, 0 end
  local requests, window_ms = want.window[1], want.window[2]
  local count = {}
  for _, use in ipairs({'lookup', 'write', 'check'}) do
    redis.call('ZREMRANGEBYSCORE', p .. 'window:' .. use, '-inf', now)
    count[use] = redis.call('ZCARD', p .. 'window:' .. use)
  end
  local spent = count.lookup + count.write + count.check
  -- 0 while a fifth of the window is spent, 1 when three fifths are.
  local tight = within((spent / requests - 0.2) / 0.4, 0, 1)
  if spent >= requests then return 50, tight, 0 end
  if want.forced then return nil, tight, 0 end
  if want.use == 'write' then
    -- Lookups get what they used in the last window and some more: from a fifth to three fifths.
    local share = requests - within(1.2 * count.lookup + 0.05 * requests, 0.2 * requests, 0.6 * requests)
    if count.write >= share then return 100, tight, 0 end
    return nil, tight, tight * window_ms / share
  end
  if want.waited_ms < want.hold_ms * tight then return 20, tight, 0 end
  return nil, tight, 0
end

-- The request leaves. It counts for as long as it may last, and for one window more.
local function window_enter(p, now, want)
  if not want.window then return end
  redis.call('ZADD', p .. 'window:' .. want.use, now + want.lasts_ms + want.window[2], want.id)
  redis.call('PEXPIRE', p .. 'window:' .. want.use, TTL_MS)
end

-- The request ended: it counts for one window from now. One that no longer counts is not put back.
local function window_ended(p, now, want)
  if not want.window then return end
  redis.call('ZADD', p .. 'window:' .. want.use, 'XX', now + want.window[2], want.id)
end

-- The request was never sent: it does not count.
local function window_unused(p, want)
  redis.call('ZREM', p .. 'window:' .. want.use, want.id)
end
