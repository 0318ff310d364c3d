#!lua flags=allow-oom
-- Notes which causes of alarms were found in this round.
--
-- ARGV  1 prefix
--       2 JSON: causes (list of {id, text, after_ms: how long it must last before it is an alarm}),
--         channels (list of names), gap_ms and clear_ms (a cause that was not found for so long is no
--         longer pending, or over), max (alarms that are stored)
--
-- Key, under prefix:
--   alarms  hash: id of a cause → JSON {state = "pending"|"on"|"over", since, seen, over, text,
--           left = {channel = {due, attempts}}}
--
-- An alarm that begins, or is over, has a message for each channel. `alarms_take` hands them out.
--
-- Returns {{id, ...} of what became an alarm, {id, ...} of what is over}.
local p, want = ARGV[1], cjson.decode(ARGV[2])
local key = p .. 'alarms'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function to_all_channels()
  local left = {}
  for _, channel in ipairs(want.channels) do left[channel] = {due = now, attempts = 0} end
  return left
end

local stored, size = {}, 0
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do
  local is_json, alarm = pcall(cjson.decode, flat[i + 1])
  if is_json and type(alarm) == 'table' and alarm.state and alarm.since and alarm.seen then
    stored[flat[i]] = alarm
    size = size + 1
  else
    redis.call('HDEL', key, flat[i])
  end
end

local began, ended, found = {}, {}, {}
for _, cause in ipairs(want.causes) do
  local alarm = stored[cause.id]
  if not alarm and size < want.max then
    size = size + 1
    alarm = {state = 'pending', since = now}
  elseif alarm and alarm.state == 'over' then
    alarm = {state = 'pending', since = now}
  end
  if alarm then
    alarm.seen, alarm.text = now, cause.text
    if alarm.state == 'pending' and now - alarm.since >= cause.after_ms then
      alarm.state, alarm.left = 'on', to_all_channels()
      began[#began + 1] = cause.id
    end
    stored[cause.id] = alarm
  end
  found[cause.id] = true
end

for id, alarm in pairs(stored) do
  local unseen_ms = now - alarm.seen
  if not found[id] and alarm.state == 'pending' and unseen_ms >= want.gap_ms then
    stored[id] = nil
  elseif not found[id] and alarm.state == 'on' and unseen_ms >= want.clear_ms then
    alarm.state, alarm.over, alarm.left = 'over', now, to_all_channels()
    ended[#ended + 1] = id
  end
end

local is_channel = {}
for _, channel in ipairs(want.channels) do is_channel[channel] = true end
for id, alarm in pairs(stored) do
  for channel in pairs(alarm.left or {}) do
    if not is_channel[channel] then alarm.left[channel] = nil end
  end
  if alarm.state == 'over' and not next(alarm.left or {}) then stored[id] = nil end
end

redis.call('DEL', key)
for id, alarm in pairs(stored) do redis.call('HSET', key, id, cjson.encode(alarm)) end
return {began, ended}
