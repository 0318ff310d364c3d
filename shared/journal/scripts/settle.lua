-- Writes down what became of leased intents. A worker whose lease is gone can't settle anything.
--
-- ARGV  1 prefix, 2 token, 3 ms a doorbell counts as out, 4 JSON list of (see below), 5 kind
--   {id, outcome = "delivered", receipt (text), payload (text: what is kept of the draft)}
--   {id, outcome = "again", reason, delay_ms, scope = "record"|"kind"|"org", strikes (0 for a wait
--    that is no failure, else 1), unsure (bool), rest_ms, leave_out (text)}
--   {id, outcome = "parked", reason}   {id, outcome = "cancelled", reason}
--
-- "again" with scope record is due after its delay. With scope kind or org the intent stays due as
-- it was, or rests for rest_ms, and the kind or the org waits: thousands of intents then cost one
-- attempt, not one each.
-- A delivery ends both waits; a longer wait is not cut short by a shorter one. Whatever is
-- delivered, parked or cancelled lets its followers go.
--
-- Returns {how many were settled, "paused" or "", kind, kind, ...}: whether the kind has to wait from
-- now on that did not before; then ring for these kinds.
local p, token, ring_ms, kind = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[5]
local outcomes = cjson.decode(ARGV[4])
local now = clock_ms()
local reply = {0, ''}
redis.call('ZREM', p .. 'leases:' .. kind, token)
redis.call('HDEL', p .. 'leased:' .. kind, token)
if redis.call('GET', p .. 'probe') == token then redis.call('DEL', p .. 'probe') end

local function wait(what, outcome)
  local before = wait_of(p, what)
  local longer = before['until'] > now + outcome.delay_ms
  redis.call('HSET', p .. 'waits', what, cjson.encode({
    ['until'] = longer and before['until'] or now + outcome.delay_ms,
    reason = longer and before.reason or outcome.reason,
    strikes = before.strikes + outcome.strikes,
  }))
  if what ~= 'org' and before.strikes == 0 and outcome.strikes > 0 then reply[2] = 'paused' end
end

-- First what ends a wait, then what begins one: one of this batch may do either.
for _, outcome in ipairs(outcomes) do
  local is = redis.call('HMGET', p .. 'intent:' .. outcome.id, 'state', 'lease')
  if outcome.outcome == 'delivered' and is[1] == 'leased' and is[2] == token then
    redis.call('HDEL', p .. 'waits', 'org', kind)
  end
end

local waited = {}
for _, outcome in ipairs(outcomes) do
  local key = p .. 'intent:' .. outcome.id
  local is = redis.call('HMGET', key, 'state', 'lease', 'call', 'fingerprint')
  if is[1] == 'leased' and is[2] == token then
    local due = p .. 'due:' .. kind
    reply[1] = reply[1] + 1
    redis.call('HDEL', key, 'lease')
    if outcome.outcome == 'again' then
      -- A mere wait is no attempt: attempts decide when to give up.
      if outcome.strikes == 0 then redis.call('HINCRBY', key, 'attempts', -1) end
      redis.call('HSET', key, 'state', 'due', 'reason', outcome.reason,
        'unsure', outcome.unsure and 1 or 0, 'leave_out', outcome.leave_out)
      if outcome.scope == 'record' then
        redis.call('ZADD', due, now + outcome.delay_ms, outcome.id)
      else
        local as_it_was = redis.call('HGET', key, 'hold_until') or now
        redis.call('ZADD', due, outcome.rest_ms > 0 and now + outcome.rest_ms or as_it_was, outcome.id)
        local what = outcome.scope == 'org' and 'org' or kind
        if not waited[what] then
          waited[what] = true
          wait(what, outcome)
        end
      end
    else
      redis.call('HSET', key, 'state', outcome.outcome, 'settled', now, 'reason', outcome.reason or '')
      close(p, kind, outcome.id)
      if outcome.outcome == 'delivered' then
        redis.call('HSET', key, 'receipt', outcome.receipt, 'payload', outcome.payload)
        redis.call('HDEL', key, 'hold_until', 'waiting', 'record', 'subjects', 'leave_out')
      elseif outcome.outcome == 'parked' then
        park(p, outcome.id, now, outcome.reason)
      elseif is[3] and is[4] and is[4] ~= '' then
        redis.call('HDEL', p .. 'call:' .. is[3] .. ':wishes', is[4])
      end
      if outcome.outcome ~= 'parked' then redis.call('ZADD', p .. 'settled', now, outcome.id) end
      let_followers_go(p, outcome.id, now, ring_ms, reply)
    end
  end
end
return reply
