-- Finds the kinds that have work and no doorbell out. Any number of sweepers may run.
--
-- ARGV  1 prefix, 2 ms a doorbell counts as out, 3 most held intents to move, 4... kinds
--
-- Held intents whose commit window is over become due here (a lease takes them in either state).
-- Kinds that have to wait are left alone.
--
-- Returns the kinds to ring for.
local p, ring_ms, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = clock_ms()
redis.call('SET', p .. 'sweep:last', now)

local ring = {}
local org_waits = must_wait(p, 'org', now)
for i = 4, #ARGV do
  local kind = ARGV[i]
  local ready = redis.call('ZRANGEBYSCORE', p .. 'due:' .. kind, '-inf', now, 'LIMIT', 0, most)
  for _, id in ipairs(ready) do
    local key = p .. 'intent:' .. id
    if redis.call('HGET', key, 'state') == 'held' then redis.call('HSET', key, 'state', 'due') end
  end
  if #ready > 0 and not org_waits and not must_wait(p, kind, now)
    and take_doorbell(p, kind, ring_ms) then
    ring[#ring + 1] = kind
  end
end
return ring
