#!lua flags=allow-oom
-- Looks through a part of a sorted set of intents, newest first, for those that fit a filter.
--
-- ARGV  1 prefix, 2 the set's name, 3 the id to begin after, or "", 4 that id's score, 5 how many to look
--       at, 6 how many to return, 7 state ("open" for held, due and leased), 8 kind, 9 tool, 10 reason (with
--       * at its end: how the reason begins), 11 detail, 12 a text in the draft. "" fits everything.
--
-- Returns {how many were looked at, the last of them, its score, id, id, ...}.
local p, set, after, score = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local chunk, limit = tonumber(ARGV[5]), tonumber(ARGV[6])
local state, kind, tool, reason, detail, text = ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12]
local OPEN = {held = true, due = true, leased = true}

local begins = string.sub(reason, -1) == '*' and string.sub(reason, 1, -2)
local function has_reason(its)
  if begins then return string.sub(its, 1, #begins) == begins end
  return reason == '' or its == reason
end

local fields = {'state', 'kind', 'tool', 'reason'}
if detail ~= '' then fields[5] = 'detail' end
if text ~= '' then fields[#fields + 1] = 'payload' end

local function fits(id)
  local is = redis.pcall('HMGET', p .. 'intent:' .. id, unpack(fields))
  if is.err then return kind == '' and tool == '' and reason == '' and detail == '' and text == '' end
  return (state == '' or is[1] == state or (state == 'open' and OPEN[is[1]]))
    and (kind == '' or is[2] == kind)
    and (tool == '' or is[3] == tool)
    and has_reason(is[4] or '')
    and (detail == '' or is[5] == detail)
    and (text == '' or string.find(is[#fields] or '', text, 1, true) ~= nil)
end

-- An id that is no longer in the set says by its score, and among equal scores by itself, where it was.
local start = 0
if after ~= '' then
  local low = redis.call('ZCOUNT', p .. set, '(' .. score, '+inf')
  local high = redis.call('ZCOUNT', p .. set, score, '+inf')
  while low < high do
    local middle = math.floor((low + high) / 2)
    local at = redis.call('ZREVRANGE', p .. set, middle, middle)[1]
    if at >= after then low = middle + 1 else high = middle end
  end
  start = low
end
local found = redis.call('ZREVRANGE', p .. set, start, start + chunk - 1, 'WITHSCORES')
local reply = {0, '', ''}
for i = 1, #found, 2 do
  reply[1], reply[2], reply[3] = reply[1] + 1, found[i], found[i + 1]
  if fits(found[i]) then reply[#reply + 1] = found[i] end
  if #reply - 3 == limit then break end
end
return reply
