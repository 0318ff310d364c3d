#!lua flags=allow-oom
-- include: calls/_call
-- Finds the kinds that have work and no wake-up on its way. Any number of sweepers may run.
--
-- ARGV  1 prefix, 2 ms a wake-up counts as on its way, 3 max held intents to move, 4... kinds; those of the
--       teams' own tools are noted in the store
--
-- Held intents become due here when their commit window is over, unless the caller is speaking. (A lease
-- takes them in either state.) Skips kinds that have to wait.
--
-- Returns the kinds to notify.
local p, wake_up_ms, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = clock_ms()
redis.call('SET', p .. 'sweep:last', now)

local function still_held_back(id, due)
  local key = p .. 'intent:' .. id
  local is = redis.call('HMGET', key, 'state', 'call', 'accepted')
  if is[1] ~= 'held' then return false end
  if is_held_back(p, is[2], tonumber(is[3]), now) then
    redis.call('ZADD', due, now + 250, id)
    return true
  end
  redis.call('HSET', key, 'state', 'due')
  return false
end

local due_kinds, kinds = {}, all_kinds(p, 4)
local org_waits = must_wait(p, 'org', now)
oldest_due_ms(p, kinds, now)
for _, kind in ipairs(kinds) do
  local due = p .. 'due:' .. kind
  local ready = 0
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)) do
    local is_sound, held_back = pcall(still_held_back, id, due)
    if not is_sound then
      park_unreadable(p, kind, id, now, wake_up_ms, due_kinds)
    elseif not held_back then
      redis.call('ZREM', p .. 'held:' .. kind, id)
      ready = ready + 1
    end
  end
  if ready > 0 and not org_waits and not must_wait(p, kind, now)
    and take_wake_up(p, kind, wake_up_ms) then
    due_kinds[#due_kinds + 1] = kind
  end
end
return due_kinds
