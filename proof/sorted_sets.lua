-- Conversions as Redis makes them, and the sorted sets of store.lua.

local function text_of(value)
  if type(value) == 'number' then
    return string.format(value == math.floor(value) and '%.0f' or '%.17g', value)
  end
  if type(value) ~= 'string' then error({err = 'ERR arguments must be strings or integers'}) end
  return value
end

local function number_of(text)
  local number = tonumber(text)
  if not number then error({err = 'ERR value is not a number'}) end
  return number
end

-- A bound of a range of scores: the score, and whether it is outside itself.
local function bound_of(text)
  if text == '-inf' then return -math.huge, false end
  if text == '+inf' then return math.huge, false end
  local exclusive = string.sub(text, 1, 1) == '('
  return number_of(exclusive and string.sub(text, 2) or text), exclusive
end

-- As LRANGE cuts a list.
local function slice(list, from, to)
  from, to = number_of(from), number_of(to)
  if from < 0 then from = math.max(0, #list + from) end
  if to < 0 then to = #list + to end
  local found = {}
  for i = from + 1, math.min(to + 1, #list) do found[#found + 1] = list[i] end
  return found
end

-- content, changed, removed, count_of: see store.lua
local function add_sorted_sets(commands, content, changed, removed, count_of)
  local function ordered(key, reverse)
    local found = {}
    for member, score in pairs(content(key, 'z')) do found[#found + 1] = {member, score} end
    table.sort(found, function(a, b)
      if reverse then a, b = b, a end
      if a[2] ~= b[2] then return a[2] < b[2] end
      return a[1] < b[1]
    end)
    return found
  end

  local function within(key, low, high, reverse)
    local from, from_open = bound_of(low)
    local to, to_open = bound_of(high)
    local found = {}
    for _, item in ipairs(ordered(key, reverse)) do
      local score = item[2]
      if (score > from or (score == from and not from_open)) and (score < to or (score == to and not to_open)) then
        found[#found + 1] = item
      end
    end
    return found
  end

  local function listed(found, ...)
    local options, with_scores, i = {...}, false, 1
    while options[i] do
      if options[i] == 'WITHSCORES' then
        with_scores = true
      elseif options[i] == 'LIMIT' then
        local from, count = number_of(options[i + 1]), number_of(options[i + 2])
        found = slice(found, from, count < 0 and -1 or from + count - 1)
        if count == 0 then found = {} end
        i = i + 2
      else
        error({err = 'ERR syntax error'})
      end
      i = i + 1
    end
    local reply = {}
    for _, item in ipairs(found) do
      reply[#reply + 1] = item[1]
      if with_scores then reply[#reply + 1] = text_of(item[2]) end
    end
    return reply
  end

  function commands.ZADD(key, first, ...)
    local existing = first == 'XX'
    local rest = existing and {...} or {first, ...}
    if existing and count_of(key, 'z') == 0 then return 0 end
    local set, added = changed(key, 'z'), 0
    for i = 1, #rest, 2 do
      local score, member = number_of(rest[i]), rest[i + 1]
      if set[member] then
        set[member] = score
      elseif not existing then
        set[member] = score
        added = added + 1
      end
    end
    return added
  end

  function commands.ZREM(key, ...) return removed(key, 'z', {...}) end
  function commands.ZCARD(key) return count_of(key, 'z') end

  function commands.ZSCORE(key, member)
    local score = content(key, 'z')[member]
    return score and text_of(score) or false
  end

  function commands.ZRANGE(key, from, to, ...) return listed(slice(ordered(key), from, to), ...) end
  function commands.ZRANGEBYSCORE(key, low, high, ...) return listed(within(key, low, high), ...) end
  function commands.ZREVRANGEBYSCORE(key, high, low, ...) return listed(within(key, low, high, true), ...) end

  function commands.ZREMRANGEBYSCORE(key, low, high)
    return removed(key, 'z', listed(within(key, low, high)))
  end
end
