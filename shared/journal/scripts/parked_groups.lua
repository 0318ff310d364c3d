#!lua flags=allow-oom
-- Counts a part of the parked intents, the longest parked first, by kind, reason and detail.
--
-- ARGV  1 prefix, 2 how many to skip, 3 how many to count, 4... reasons whose detail tells groups apart
--       (the message of a rule); the detail of all others may quote values
--
-- Returns {kind, reason, detail, how many, how many were promised to a caller, when the first parked, the id
-- of the last, ...}, seven for each group. A row that can't be read has no kind.
local p = ARGV[1]
local by_detail = {}
for i = 4, #ARGV do by_detail[ARGV[i]] = true end

local groups, order = {}, {}
local found = redis.call('ZRANGE', p .. 'parked', ARGV[2], ARGV[2] + ARGV[3] - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  local id = found[i]
  local is = redis.pcall('HMGET', p .. 'intent:' .. id, 'kind', 'reason', 'detail', 'said')
  if is.err then is = {'', 'UNREADABLE_ROW', '', ''} end
  local kind, reason = is[1] or '', is[2] or ''
  local detail = by_detail[reason] and is[3] or ''
  local name = kind .. '\n' .. reason .. '\n' .. detail
  local group = groups[name]
  if not group then
    group = {kind, reason, detail, 0, 0, found[i + 1]}
    groups[name] = group
    order[#order + 1] = group
  end
  group[4] = group[4] + 1
  if is[4] and is[4] ~= '' then group[5] = group[5] + 1 end
  group[7] = id
end
local reply = {}
for _, group in ipairs(order) do
  for i = 1, 7 do reply[#reply + 1] = group[i] end
end
return reply
