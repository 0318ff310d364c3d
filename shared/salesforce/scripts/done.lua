#!lua flags=allow-oom
-- include: _breaker, _window
-- Enters how a request ended.
--
-- ARGV[1]  JSON object, with what _breaker.lua and _window.lua read, and:
--   prefix, use, id
--   outcome         "ok", "bad" (Salesforce did not answer, or could not), "other", "unused" (never sent)
--   code            of the failure, "" without one
--   took_ms         how long the request took
--   probe           true for a request that went through an open breaker
--   usage           nil, or {used, limit} from the answer's header
--
-- Also counts by use and outcome in prefix .. "counts" (a hash, for /metrics).
local want = cjson.decode(ARGV[1])
local p = want.prefix
local now = clock_ms()
redis.call('ZREM', p .. 'flying:' .. want.use, want.id)
if want.outcome == 'unused' then
  window_unused(p, want)
  if want.probe then breaker_probe_unused(p .. 'breaker') end
  return
end
window_ended(p, now, want)
if want.usage then
  redis.call('HSET', p .. 'usage', 'used', want.usage[1], 'limit', want.usage[2], 'at', now)
end
redis.call('HINCRBY', p .. 'counts', want.use .. ':' .. want.outcome, 1)
if want.use == 'lookup' then breaker_enter(p .. 'breaker', now, want) end
for _, key in ipairs({'counts', 'usage', 'breaker'}) do redis.call('PEXPIRE', p .. key, TTL_MS) end
