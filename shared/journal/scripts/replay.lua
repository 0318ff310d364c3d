#!lua flags=allow-oom
-- An operator settles parked intents: replay or discard.
--
-- ARGV  1 prefix, 2 "replay", "discard" or "kept_by_hand", 3 ms a wake-up counts as on its way, 4 new payload or "",
--       5 the org that they are for from now on, or "", 6... ids
--
-- Replay makes a parked intent due at once, in doubt and with its counters reset. A payload replaces the
-- draft (an edit). Discard cancels the intent, and its promise stays broken: a person makes it good. Kept
-- by hand cancels it too: a person has done what it promised. Intents that are not parked do not change, so a second run
-- does nothing. A row that is not a hash, or names no kind, can only be discarded. What becomes due when another
-- intent is discarded wakes a worker at the next sweep.
--
-- Returns {how many changed, kind, kind, ...}: notify these kinds of what was replayed.
local p, verb, wake_up_ms, payload, org = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local now = clock_ms()
local reply, discarded = {0}, {}
for i = 6, #ARGV do
  local id = ARGV[i]
  local key = p .. 'intent:' .. id
  local is = redis.pcall('HMGET', key, 'state', 'kind', 'call', 'fingerprint')
  local is_parked = is[1] == 'parked' or (is.err and redis.call('ZSCORE', p .. 'parked', id))
  if is_parked and (is[2] or verb ~= 'replay') then
    reply[1] = reply[1] + 1
    if is.err then
      if unpark(p, id) then redis.call('ZREM', p .. 'promises:broken', id) end
      redis.call('DEL', key)
      discarded[#discarded + 1] = id
    elseif verb == 'replay' then
      if payload ~= '' then redis.call('HSET', key, 'payload', payload) end
      if org ~= '' then redis.call('HSET', key, 'org', org) end
      make_due_again(p, id, is[2], now)
      if take_wake_up(p, is[2], wake_up_ms) then reply[#reply + 1] = is[2] end
    else
      discarded[#discarded + 1] = id
      if unpark(p, id) then
        if verb == 'kept_by_hand' then
          reopen_promise(p, id, now)
          count_promise(p, now, 'kept_by_hand')
        else
          redis.call('ZADD', p .. 'promises:broken', 'XX', 0, id)
        end
      end
      redis.call('HSET', key, 'state', 'cancelled', 'settled', now)
      if is[2] then count(p, is[2], 'cancelled') end
      redis.call('ZADD', p .. 'settled', now, id)
      if is[3] and is[4] and is[4] ~= '' then redis.call('HDEL', p .. 'call:' .. is[3] .. ':requests', is[4]) end
    end
  end
end
for _, id in ipairs(discarded) do release_followers(p, id, now) end
return reply
