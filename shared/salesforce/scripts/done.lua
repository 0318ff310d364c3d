#!lua flags=allow-oom
-- Enters how a request ended. A request that is no longer in the window is counted, but not put back.
--
-- ARGV[1]  JSON object:
--   prefix, use, id
--   outcome         "ok", "bad" (Salesforce did not answer, or could not), "other", "unused" (never sent)
--   code            of the failure, "" without one
--   took_ms, slow_ms   an answer that took slow_ms or longer counts as bad
--   probe           true for a request that went through an open breaker
--   window          nil, or {requests, ms}
--   usage           nil, or {used, limit} from the answer's header
--   count_ms, max_bad   lookups are counted for count_ms; max_bad bad ones, and no fewer than good ones,
--                   open the breaker
--   retry_after_ms, first_open_ms, max_open_ms, dice   how long it opens
--
-- Also counts by use and outcome in prefix .. "counts" (a hash, for /metrics).
local want = cjson.decode(ARGV[1])
local p = want.prefix
local now = clock_ms()
redis.call('ZREM', p .. 'flying:' .. want.use, want.id)
if want.outcome == 'unused' then
  redis.call('ZREM', p .. 'window:' .. want.use, want.id)
  if want.probe then redis.call('HSET', p .. 'breaker', 'probe_until', 0) end
  return
end
if want.window then
  redis.call('ZADD', p .. 'window:' .. want.use, 'XX', now + want.window[2], want.id)
end
if want.usage then
  redis.call('HSET', p .. 'usage', 'used', want.usage[1], 'limit', want.usage[2], 'at', now)
end
redis.call('HINCRBY', p .. 'counts', want.use .. ':' .. want.outcome, 1)
if want.use == 'lookup' then redis.call('HSETNX', p .. 'breaker', 'from', now) end
for _, key in ipairs({'counts', 'usage', 'breaker'}) do redis.call('PEXPIRE', p .. key, TTL_MS) end
if want.use ~= 'lookup' then return end

local key = p .. 'breaker'
local is_bad = want.outcome == 'bad' or (want.outcome == 'ok' and want.took_ms >= want.slow_ms)
if redis.call('HGET', key, 'state') == 'open' then
  if not want.probe then return end  -- it left before the breaker opened
  if is_bad then
    open_breaker(key, now, want, want.code ~= '' and want.code or 'SLOW')
  else
    redis.call('HSET', key, 'state', 'closed', 'since', now, 'failures_in_a_row', 0, 'ok', 0, 'bad', 0, 'from', now)
  end
  return
end
if now - tonumber(redis.call('HGET', key, 'from') or 0) > want.count_ms then
  redis.call('HSET', key, 'ok', 0, 'bad', 0, 'from', now)
end
if not is_bad then
  redis.call('HINCRBY', key, 'ok', 1)
elseif redis.call('HINCRBY', key, 'bad', 1) >= want.max_bad
  and tonumber(redis.call('HGET', key, 'bad')) >= tonumber(redis.call('HGET', key, 'ok') or 0) then
  open_breaker(key, now, want, want.code ~= '' and want.code or 'SLOW')
end
