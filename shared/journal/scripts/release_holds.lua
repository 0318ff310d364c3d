#!lua flags=allow-oom
-- Ends the commit window of the call's held intents, because a person is about to take over.
--
-- ARGV  1 prefix, 2 call, 3 ms a wake-up counts as on its way
--
-- An intent that waits for another one still waits for it. Returns the kinds to notify.
local p, wake_up_ms = ARGV[1], tonumber(ARGV[3])
local now = clock_ms()
local due_kinds = {}
for _, id in ipairs(redis.call('LRANGE', p .. 'call:' .. ARGV[2] .. ':intents', 0, -1)) do
  local key = p .. 'intent:' .. id
  local is = redis.call('HMGET', key, 'state', 'kind', 'waiting')
  if is[1] == 'held' then
    redis.call('HSET', key, 'hold_until', now)
    if is[3] == '0' then
      redis.call('HSET', key, 'state', 'due')
      redis.call('ZREM', p .. 'held:' .. is[2], id)
      redis.call('ZADD', p .. 'due:' .. is[2], now, id)
      if take_wake_up(p, is[2], wake_up_ms) then due_kinds[#due_kinds + 1] = is[2] end
    end
  end
end
return due_kinds
