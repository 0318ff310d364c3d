-- Cancels an intent for its caller, and with it the parts of the same request: see cancel.lua.

-- True while nothing of an intent can have reached Salesforce, and when it is parked.
local function can_be_cancelled(p, id)
  local is = redis.call('HMGET', p .. 'intent:' .. id, 'state', 'in_doubt')
  return is[1] == 'parked' or ((is[1] == 'held' or is[1] == 'due') and is[2] ~= '1')
end

local function cancel_alone(p, id, reason, now, wake_up_ms, reply)
  local key = p .. 'intent:' .. id
  local is = redis.call('HMGET', key, 'state', 'kind', 'call', 'fingerprint', 'in_doubt', 'said')
  if not is[1] then return '' end
  if not can_be_cancelled(p, id) then
    return (is[1] == 'held' or is[1] == 'due') and 'in_doubt' or is[1]
  end
  if is[5] == '1' then
    redis.call('HSET', key, 'reason', 'NOT_WANTED')
    return 'parked'
  end
  redis.call('HSET', key, 'state', 'cancelled', 'reason', reason, 'settled', now)
  count(p, is[2], 'cancelled')
  remove_from_open(p, is[2], id)
  if unpark(p, id) then reopen_promise(p, id, now) end
  if is[6] and is[6] ~= '' then count_promise(p, now, 'taken_back') end
  redis.call('ZADD', p .. 'settled', now, id)
  if is[4] ~= '' then redis.call('HDEL', p .. 'call:' .. is[3] .. ':requests', is[4]) end
  release_followers(p, id, now, wake_up_ms, reply)
  return 'cancelled'
end

-- Returns what cancel.lua returns first, and appends the kinds to notify to reply.
local function cancel(p, id, reason, now, wake_up_ms, reply)
  local became = cancel_alone(p, id, reason, now, wake_up_ms, reply)
  local parts = became == 'cancelled' and redis.call('HGET', p .. 'intent:' .. id, 'parts')
  for _, part in ipairs(cjson.decode(parts or '[]')) do
    cancel_alone(p, part, reason, now, wake_up_ms, reply)
  end
  return became
end
