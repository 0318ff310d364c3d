#!lua flags=allow-oom
-- Records the outcomes of leased intents. A worker whose lease ran out can't settle anything: the token
-- fences it out.
--
-- ARGV  1 prefix, 2 token, 3 ms a wake-up counts as on its way, 4 JSON list of outcomes (below), 5 kind,
--       6 ms a call's list of intents is stored, 7 ms a kind omits a missing field
--   {id, outcome = "delivered", receipt (text), payload (text: what is stored of the draft),
--    also (list of intents)}
--   {id, outcome = "again", reason, detail, delay_ms, scope = "record"|"source"|"org", failures_in_a_row (1
--    for a failure, 0 for a mere wait), in_doubt (bool), rest_ms, omit_fields (text), missing (list),
--    limit, target}
--   {id, outcome = "part_refused", reason, detail, delay_ms, in_doubt, rest (text), part (an intent)}
--   {id, outcome = "parked", reason, detail, follows (id or "")}   {id, outcome = "cancelled", reason}
--   An intent: {id, kind, schema, tool, reference, said, payload (text), record, after (list of ids)}
--
-- "again" with scope record: the intent is due after its delay, and not before its rest. With scope source
-- or org the intent stays due as it was, or rests for rest_ms, and its source or the org waits: a backlog of
-- thousands then costs one attempt instead of thousands. The source is the tool that asked for the intent,
-- or its kind where no tool did.
--
-- A limit above 0 means that Salesforce refused this record. Refusals are counted by reason; at the limit
-- the intent parks.
-- A target means that the source may be what fails. The script counts the different targets refused since
-- the source last succeeded; from the second on, the source waits. A record that was refused before that
-- success does not count: others went through since. From MANY targets on the source certainly fails, and
-- nothing parks for it. A success in the future was before the clock jumped back. A failure with scope source counts for its record alone when others of its source
-- in this batch were delivered.
--
-- "part_refused": the intent continues with the rest, and the part parks as an intent of its own.
-- "parked" with follows: the intent is due again when the followed intent leaves its parked state, or at
-- once when that one is not parked any more.
--
-- A delivery ends the waits of the org, of its kind and of its source. A delivered, parked or cancelled
-- intent releases its followers.
--
-- Returns {{id, state, ...} of the settled intents, {source, ...} that start to wait, {kind, ...} to notify}.
local p, token, wake_up_ms, kind = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[5]
local outcomes = cjson.decode(ARGV[4])
local call_ms, missing_ms = ARGV[6], ARGV[7]
local now = clock_ms()
local states, stopped, due_kinds, in_this_minute = {}, {}, {}, {}
local MANY = 10
local counted = {batches = 1}
local function note(what, by) counted[what] = (counted[what] or 0) + (by or 1) end
redis.call('ZREM', p .. 'leases:' .. kind, token)
redis.call('HDEL', p .. 'leased:' .. kind, token)
if redis.call('GET', p .. 'probe') == token then redis.call('DEL', p .. 'probe') end

local function in_minute(what) in_this_minute[what] = (in_this_minute[what] or 0) + 1 end

-- Who is to blame for a refused record: "record" or "source"; "parked" when its limit is reached.
local function judged(key, outcome, source)
  redis.call('HINCRBY', key, 'refusals', 1)
  local is_json, refused = pcall(cjson.decode, redis.call('HGET', key, 'refused'))
  if not is_json or type(refused) ~= 'table' then refused = {} end
  local times = (tonumber(refused[outcome.reason]) or 0) + 1
  refused[outcome.reason] = times
  redis.call('HSET', key, 'refused', cjson.encode(refused))
  redis.call('HSETNX', key, 'refused_at', now)
  local since = tonumber(redis.call('HGET', key, 'refused_at')) or now
  local succeeded = tonumber(redis.call('HGET', p .. 'succeeded', source)) or 0
  local different = 0
  if outcome.target ~= '' and (succeeded < since or (since <= now and now < succeeded)) then
    different = count_refused(p, source, outcome.target, MANY)
  end
  if times >= outcome.limit and different < MANY then return 'parked' end
  return different >= 2 and 'source' or 'record'
end

local function record(intent, from, call, parked)
  local key = p .. 'intent:' .. intent.id
  local waiting = 0
  for _, earlier in ipairs(intent.after) do
    local state = redis.call('HGET', p .. 'intent:' .. earlier, 'state')
    if (state == 'held' or state == 'due' or state == 'leased')
      and redis.call('SADD', p .. 'followers:' .. earlier, intent.id) == 1 then
      waiting = waiting + 1
    end
  end
  redis.call('HSET', key, 'kind', intent.kind, 'state', waiting > 0 and 'held' or 'due',
    'schema', intent.schema, 'call', call, 'tool', intent.tool, 'reference', intent.reference,
    'fingerprint', '', 'payload', intent.payload, 'said', intent.said, 'accepted', now,
    'hold_until', now, 'dedup_keys', '[]', 'waiting', waiting, 'attempts', 0, 'in_doubt', 0,
    'record', intent.record, 'org', redis.call('HGET', from, 'org') or '',
    'agent', redis.call('HGET', from, 'agent') or '')
  note_trace(p, intent.id, redis.call('HGET', from, 'trace'), now)
  redis.call('ZADD', p .. 'intents', now, intent.id)
  in_minute('accepted')
  count(p, intent.kind, 'accepted')
  if intent.said ~= '' then count_promise(p, now, 'promised') end
  if call ~= '' then
    redis.call('RPUSH', p .. 'call:' .. call .. ':intents', intent.id)
    redis.call('PEXPIRE', p .. 'call:' .. call .. ':intents', call_ms)
  end
  if parked then
    redis.call('HSET', key, 'detail', parked.detail)
    park(p, intent.id, now, parked.reason)
  elseif waiting > 0 then
    redis.call('ZADD', p .. 'waiting:' .. intent.kind, now, intent.id)
  else
    redis.call('ZADD', p .. 'due:' .. intent.kind, now, intent.id)
    if take_wake_up(p, intent.kind, wake_up_ms) then due_kinds[#due_kinds + 1] = intent.kind end
  end
end

local waited = {}
local function again(outcome, key, source)
  local due = p .. 'due:' .. kind
  local scope = outcome.scope
  if scope == 'record' and outcome.limit > 0 then
    scope = judged(key, outcome, source)
    if scope == 'parked' then
      outcome.outcome = 'parked'
      return false
    end
  end
  -- A mere wait does not count as an attempt.
  if outcome.failures_in_a_row == 0 then redis.call('HINCRBY', key, 'attempts', -1) end
  redis.call('HSET', key, 'state', 'due', 'reason', outcome.reason, 'detail', outcome.detail,
    'in_doubt', outcome.in_doubt and 1 or 0, 'omit_fields', outcome.omit_fields)
  for _, field in ipairs(outcome.missing) do
    redis.call('SADD', p .. 'missing:' .. kind, field)
    redis.call('PEXPIRE', p .. 'missing:' .. kind, missing_ms)
  end
  if scope == 'record' then
    redis.call('ZADD', due, now + math.max(outcome.delay_ms, outcome.rest_ms), outcome.id)
  else
    local as_it_was = redis.call('HGET', key, 'hold_until') or now
    redis.call('ZADD', due, outcome.rest_ms > 0 and now + outcome.rest_ms or as_it_was, outcome.id)
    local what = scope == 'org' and 'org' or source
    if not waited[what] then
      waited[what] = true
      if start_wait(p, what, outcome, now) and what ~= 'org' then stopped[#stopped + 1] = what end
    end
  end
  return true
end

-- Deliveries first, because they end waits that another outcome of this batch may start.
local delivered = {}
for _, outcome in ipairs(outcomes) do
  local is = redis.call('HMGET', p .. 'intent:' .. outcome.id, 'state', 'lease', 'tool', 'agent')
  if outcome.outcome == 'delivered' and is[1] == 'leased' and is[2] == token then
    redis.call('HDEL', p .. 'waits', 'org')
    for _, source in ipairs({kind, source_of(kind, is[3], is[4])}) do
      delivered[source] = true
      redis.call('HDEL', p .. 'waits', source)
      redis.call('HSET', p .. 'succeeded', source, now)
      redis.call('DEL', p .. 'failing:' .. source)
    end
  end
end

for _, outcome in ipairs(outcomes) do
  local key = p .. 'intent:' .. outcome.id
  local is = redis.call('HMGET', key, 'state', 'lease', 'call', 'fingerprint', 'tool', 'agent', 'said',
    'accepted')
  if is[1] == 'leased' and is[2] == token then
    local call, open = is[3] or '', false
    local is_promise = is[7] and is[7] ~= ''
    redis.call('HDEL', key, 'lease')
    if outcome.outcome == 'again' then
      local source = source_of(kind, is[5], is[6])
      if outcome.scope == 'source' and outcome.limit > 0 and delivered[source] then
        outcome.scope = 'record'
      end
      open = again(outcome, key, source)
    elseif outcome.outcome == 'part_refused' then
      redis.call('HSET', key, 'state', 'due', 'payload', outcome.rest, 'reason', outcome.reason,
        'in_doubt', outcome.in_doubt and 1 or 0)
      redis.call('ZADD', p .. 'due:' .. kind, now + outcome.delay_ms, outcome.id)
      record(outcome.part, key, call, outcome)
      open = true
    elseif outcome.outcome == 'parked' and outcome.follows ~= '' then
      local followed = redis.call('HGET', p .. 'intent:' .. outcome.follows, 'state')
      if followed == 'parked' then
        redis.call('SADD', p .. 'followers:' .. outcome.follows, outcome.id)
        redis.call('HSET', key, 'follows', outcome.follows)
      elseif followed and followed ~= 'cancelled' then
        redis.call('HSET', key, 'state', 'due')
        redis.call('ZADD', p .. 'due:' .. kind, now, outcome.id)
        open = true
      end
    end
    if open then
      note('again')
      states[#states + 1] = outcome.id
      states[#states + 1] = 'due'
    else
      local state = outcome.outcome
      states[#states + 1] = outcome.id
      states[#states + 1] = state
      redis.call('HSET', key, 'state', state, 'settled', now, 'reason', outcome.reason or '',
        'detail', outcome.detail or '')
      remove_from_open(p, kind, outcome.id)
      if state == 'delivered' then
        in_minute('delivered')
        for _, intent in ipairs(outcome.also) do record(intent, key, call) end
        redis.call('HSET', key, 'receipt', outcome.receipt, 'payload', outcome.payload)
        if outcome.number ~= '' then redis.call('SET', p .. 'case-number:' .. outcome.number, outcome.id) end
        redis.call('HDEL', key, 'hold_until', 'waiting', 'record', 'dedup_keys', 'omit_fields',
          'refused', 'refused_at', 'detail')
        if is_promise then keep_promise(p, is[8], now) end
      elseif state == 'parked' then
        park(p, outcome.id, now, outcome.reason)
      else
        if call ~= '' and is[4] and is[4] ~= '' then
          redis.call('HDEL', p .. 'call:' .. call .. ':requests', is[4])
        end
        -- What goes with another intent that was cancelled shares that one's end.
        local goes_with = string.find(outcome.reason or '', '_CANCELLED$') ~= nil
        if is_promise and goes_with then
          count_promise(p, now, 'taken_back')
        elseif is_promise then
          break_promise(p, outcome.id, now, 0)
        end
      end
      if state ~= 'parked' then
        note(state)
        redis.call('ZADD', p .. 'settled', now, outcome.id)
      end
      release_followers(p, outcome.id, now, wake_up_ms, due_kinds)
    end
  end
end
for what, by in pairs(in_this_minute) do count_in_minute(p, now, what, by) end
for what, by in pairs(counted) do count(p, kind, what, by) end
return {states, stopped, due_kinds}
