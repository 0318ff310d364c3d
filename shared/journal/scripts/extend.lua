#!lua flags=allow-oom
-- Extends a lease while its worker is alive and working.
--
-- ARGV  1 prefix, 2 kind, 3 lease in ms, 4 token, 5... ids
--
-- Extends only intents that are still leased under the token. A worker that has any left counts as one of the
-- batches in progress, also after its lease ran out and another lease removed it from them. Returns how many
-- intents were extended.
local p, kind, lease_ms, token = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local now = clock_ms()
local extended = 0
for i = 5, #ARGV do
  local held = redis.call('HMGET', p .. 'intent:' .. ARGV[i], 'state', 'lease')
  if held[1] == 'leased' and held[2] == token then
    redis.call('ZADD', p .. 'due:' .. kind, now + lease_ms, ARGV[i])
    extended = extended + 1
  end
end
if extended > 0 then
  redis.call('ZADD', p .. 'leases:' .. kind, now + lease_ms, token)
  redis.call('HSET', p .. 'leased:' .. kind, token, extended)
  if redis.call('GET', p .. 'probe') == token then redis.call('PEXPIRE', p .. 'probe', lease_ms) end
end
return extended
