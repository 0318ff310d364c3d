-- Read before every script: the server's clock, the doorbell, waits, and letting followers go.

local function clock_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- True when the caller has to send a doorbell: none is out for the kind, and now one is.
local function take_doorbell(p, kind, ring_ms)
  return redis.call('SET', p .. 'doorbell:' .. kind, 1, 'NX', 'PX', ring_ms) ~= false
end

-- what: "org" or a kind. True while it has to wait, or a person paused it.
local function must_wait(p, what, now)
  if redis.call('SISMEMBER', p .. 'paused', what) == 1 then return true end
  local wait = redis.call('HGET', p .. 'waits', what)
  return wait and cjson.decode(wait)['until'] > now
end

-- True when it failed the last time: whoever is let in now finds out whether it works again.
local function is_on_probation(p, what)
  local wait = redis.call('HGET', p .. 'waits', what)
  return wait and cjson.decode(wait).strikes > 0
end

-- An intent is settled: those that waited for it alone are due. Appends kinds to ring for to reply.
local function let_followers_go(p, id, now, ring_ms, reply)
  local followers = p .. 'followers:' .. id
  for _, follower in ipairs(redis.call('SMEMBERS', followers)) do
    local key = p .. 'intent:' .. follower
    if redis.call('HGET', key, 'state') == 'held' and redis.call('HINCRBY', key, 'waiting', -1) == 0 then
      local known = redis.call('HMGET', key, 'kind', 'hold_until')
      redis.call('ZADD', p .. 'due:' .. known[1], known[2], follower)
      if tonumber(known[2]) <= now and take_doorbell(p, known[1], ring_ms) then
        reply[#reply + 1] = known[1]
      end
    end
  end
  redis.call('DEL', followers)
end
