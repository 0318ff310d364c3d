-- In front of every script here: the server's clock, wake-ups, waits, releasing followers, and parking.

local settled = {delivered = true, parked = true, cancelled = true}

local function clock_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Counts something in its minute, for the charts of the last hour.
local function count_in_minute(p, now, what, by)
  local key = p .. 'minute:' .. math.floor(now / 60000)
  redis.call('HINCRBY', key, what, by)
  redis.call('PEXPIRE', key, 7200000)
end

-- Counts what became of intents, for /metrics (figures.py). Counts only grow.
local function count(p, kind, what, by)
  redis.call('HINCRBY', p .. 'figures:' .. kind, what, by or 1)
end

-- True when a wake-up has to be sent for the kind: none is on its way. From now on one is.
local function take_wake_up(p, kind, wake_up_ms)
  return redis.call('SET', p .. 'wakeup:' .. kind, 1, 'NX', 'PX', wake_up_ms) ~= false
end

-- The wait of "org" or of a kind: {until, reason, failures_in_a_row}. An unreadable wait counts as none.
local function wait_of(p, what)
  local is_json, wait = pcall(cjson.decode, redis.call('HGET', p .. 'waits', what))
  if not is_json or type(wait) ~= 'table' then wait = {} end
  return {['until'] = tonumber(wait['until']) or 0, reason = wait.reason, failures_in_a_row = tonumber(wait.failures_in_a_row) or 0}
end

-- What an intent waits with when its like fails: the tool of an agent folder that asked for it, such as
-- "agent/requestReturn"; its kind where no tool did.
local function source_of(kind, tool, agent)
  if tool and tool ~= '' and agent and agent ~= '' then return agent .. '/' .. tool end
  return kind
end

-- True while the kind (or the org) has to wait, or an operator paused it.
local function must_wait(p, what, now)
  return redis.call('SISMEMBER', p .. 'paused', what) == 1 or wait_of(p, what)['until'] > now
end

-- Has the org, a kind or a tool wait from now on. failure: {delay_ms, reason, failures_in_a_row}. A shorter
-- wait does not shorten a longer one. True when it did not fail before.
local function start_wait(p, what, failure, now)
  local before = wait_of(p, what)
  local longer = before['until'] > now + failure.delay_ms
  redis.call('HSET', p .. 'waits', what, cjson.encode({
    ['until'] = longer and before['until'] or now + failure.delay_ms,
    reason = longer and before.reason or failure.reason,
    failures_in_a_row = before.failures_in_a_row + failure.failures_in_a_row,
  }))
  return before.failures_in_a_row == 0 and failure.failures_in_a_row > 0
end

-- How many different records were refused since their source last succeeded, this one included. Counts up
-- to `most`.
local function count_refused(p, source, target, most)
  local FAILING_MS = 24 * 3600 * 1000
  local failing = p .. 'failing:' .. source
  local different = redis.call('SCARD', failing)
  if different < most then
    different = different + redis.call('SADD', failing, target)
    redis.call('PEXPIRE', failing, FAILING_MS)
  end
  return different
end

-- True after a failure: the next batch tests whether the kind (or the org) works again.
local function is_on_probation(p, what)
  return wait_of(p, what).failures_in_a_row > 0
end

-- Notes a kind of the team's own tools (`create.<object>`), which no list in the code names.
local function note_kind(p, kind)
  if string.find(kind, '.', 1, true) then redis.call('SADD', p .. 'kinds', kind) end
end

-- The kinds that the caller names in ARGV from this place on, and those noted.
local function all_kinds(p, first)
  local kinds = {}
  for i = first, #ARGV do kinds[#kinds + 1] = ARGV[i] end
  for _, kind in ipairs(redis.call('SMEMBERS', p .. 'kinds')) do kinds[#kinds + 1] = kind end
  return kinds
end

-- The age of the oldest intent that a worker should have taken by now, -1 where there is none. Its minute
-- remembers the greatest.
local function oldest_due_ms(p, kinds, now)
  local oldest = now + 1
  for _, kind in ipairs(kinds) do
    for _, place in ipairs({'due:', 'waiting:'}) do
      local first = redis.call('ZRANGE', p .. place .. kind, 0, 0, 'WITHSCORES')
      oldest = math.min(oldest, tonumber(first[2]) or oldest)
    end
  end
  local key = p .. 'minute:' .. math.floor(now / 60000)
  local age, before = math.max(0, now - oldest), tonumber(redis.call('HGET', key, 'oldest_ms'))
  if not before or before < age then
    redis.call('HSET', key, 'oldest_ms', age)
    redis.call('PEXPIRE', key, 7200000)
  end
  return oldest <= now and now - oldest or -1
end

-- Notes the trace of an intent, where its call's id does not say it.
local function note_trace(p, id, trace, now)
  if not trace or trace == '' then return end
  redis.call('HSET', p .. 'intent:' .. id, 'trace', trace)
  redis.call('ZADD', p .. 'trace:' .. trace, now, id)
end

-- Copies the counts of promises (SCHEMA.md) as they were when this day and these five minutes began, unless that
-- copy exists.
local function copy_counts(p, now)
  local counts, minute = p .. 'promises', math.floor(now / 60000)
  redis.call('HSETNX', counts, 'since', now)
  for _, span in ipairs({{1440, 35 * 86400000}, {5, 7200000}}) do
    local start = minute - minute % span[1]
    local at = p .. 'promises:at:' .. start
    if redis.call('COPY', counts, at) == 1 then redis.call('PEXPIRE', at, span[2]) end
  end
end

-- Counts what became of a promise, or of a claim. Counts only grow.
local is_copied = false
local function count_promise(p, now, what, by)
  if not is_copied then copy_counts(p, now) end
  is_copied = true
  redis.call('HINCRBY', p .. 'promises', what, by or 1)
end

-- A promise was kept: counts how long that took as well, in steps of 10^(1/20).
local function keep_promise(p, accepted, now)
  local took_ms = math.max(1, now - (tonumber(accepted) or now))
  count_promise(p, now, 'delivered')
  count_promise(p, now, 'took_ms', took_ms)
  count_promise(p, now, 'within:' .. math.ceil(20 * math.log10(took_ms)))
end

-- A promise is broken: a person makes it good, some time after `from` (ms; 0: at once), unless it is replayed.
local function break_promise(p, id, now, from)
  count_promise(p, now, 'broken')
  redis.call('ZADD', p .. 'promises:broken', from, id)
end

-- Parks an intent: a dead letter that an operator decides on. It counts as a broken promise if the caller
-- was promised it; parked:live lists those whose call may still last (see summary.lua). Never fails,
-- whatever lies under the id.
local function park(p, id, now, reason)
  local key = p .. 'intent:' .. id
  redis.pcall('HSET', key, 'state', 'parked', 'settled', now, 'reason', reason)
  redis.call('ZADD', p .. 'parked', now, id)
  count_in_minute(p, now, 'parked', 1)
  local is = redis.pcall('HMGET', key, 'said', 'call', 'kind')
  if not is.err and is[3] then count(p, is[3], 'parked') end
  if not is.err and is[1] and is[1] ~= '' then
    if redis.call('ZADD', p .. 'parked:said', now, id) == 1 then break_promise(p, id, now, now) end
    if is[2] and is[2] ~= '' then redis.call('HSET', p .. 'parked:live', id, is[2]) end
  end
end

-- From now on it follows no other intent either: whoever decides on it has decided on it alone. Returns
-- true when the caller was promised it.
local function unpark(p, id)
  redis.call('ZREM', p .. 'parked', id)
  redis.call('HDEL', p .. 'parked:live', id)
  local followed = redis.pcall('HGET', p .. 'intent:' .. id, 'follows')
  if type(followed) == 'string' then
    redis.call('SREM', p .. 'followers:' .. followed, id)
    redis.call('HDEL', p .. 'intent:' .. id, 'follows')
  end
  return redis.call('ZREM', p .. 'parked:said', id) == 1
end

-- A parked promise is open again.
local function reopen_promise(p, id, now)
  count_promise(p, now, 'reopened')
  redis.call('ZREM', p .. 'promises:broken', id)
end

-- Makes a parked intent due as if it were new, but in doubt: the worker first looks for what it may have
-- written before it parked.
local function make_due_again(p, id, kind, now)
  local key = p .. 'intent:' .. id
  redis.call('HSET', key, 'state', 'due', 'in_doubt', 1, 'hold_until', now, 'attempts', 0)
  redis.call('HDEL', key, 'settled', 'refusals', 'refused', 'refused_at', 'omit_fields')
  if unpark(p, id) then reopen_promise(p, id, now) end
  count(p, kind, 'replayed')
  redis.call('ZADD', p .. 'due:' .. kind, now, id)
end

-- Removes an intent from the sets of open intents.
local function remove_from_open(p, kind, id)
  redis.call('ZREM', p .. 'due:' .. kind, id)
  redis.call('ZREM', p .. 'held:' .. kind, id)
  redis.call('ZREM', p .. 'waiting:' .. kind, id)
end

local function release_follower(p, id, follower, became, now, wake_up_ms, reply)
  local key = p .. 'intent:' .. follower
  local is = redis.call('HMGET', key, 'state', 'kind', 'hold_until')
  local kind, due_at = is[2], nil
  if is[1] == 'held' then
    redis.call('SREM', p .. 'followers:' .. id, follower)
    if redis.call('HINCRBY', key, 'waiting', -1) ~= 0 then return end
    due_at = tonumber(is[3])
    redis.call('ZREM', p .. 'waiting:' .. kind, follower)
    redis.call('ZADD', p .. 'due:' .. kind, due_at, follower)
    if due_at > now then redis.call('ZADD', p .. 'held:' .. kind, due_at, follower) end
  elseif is[1] == 'parked' and became ~= 'parked' then
    make_due_again(p, follower, kind, now)
    due_at = now
  end
  if due_at and due_at <= now and wake_up_ms and take_wake_up(p, kind, wake_up_ms) then
    reply[#reply + 1] = kind
  end
end

-- Releases the followers of a settled intent. A follower that waits for nothing else becomes due. A
-- follower that parked because of this intent becomes due again once this one is no longer parked, and
-- its delivery decides anew. Appends the kinds to notify to reply; without wake_up_ms the sweep notifies.
local function release_followers(p, id, now, wake_up_ms, reply)
  local followers = p .. 'followers:' .. id
  local became = redis.pcall('HGET', p .. 'intent:' .. id, 'state')
  if type(became) == 'table' then became = 'parked' end  -- not a hash: parked as unreadable
  for _, follower in ipairs(redis.call('SMEMBERS', followers)) do
    if not pcall(release_follower, p, id, follower, became, now, wake_up_ms, reply) then
      park(p, follower, now, 'UNREADABLE_ROW')
      release_followers(p, follower, now, wake_up_ms, reply)
    end
  end
  if became ~= 'parked' then redis.call('DEL', followers) end
end

-- Parks an intent that no script can read, so that it holds up no other.
local function park_unreadable(p, kind, id, now, wake_up_ms, reply)
  remove_from_open(p, kind, id)
  park(p, id, now, 'UNREADABLE_ROW')
  release_followers(p, id, now, wake_up_ms, reply)
end
