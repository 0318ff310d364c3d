-- A store of Lua tables with those Redis commands that the journal's scripts use.
--
-- A value is {type, content, when it expires (ms) or nothing}: {"h", {field = text}}, {"z", {member = score}},
-- {"s", {member = 1}}, {"l", {text, ...}} or {"k", text}. `new_store` never changes the values that it is given:
-- what a command changes is copied first (copy on write) and ends up in `written`, false for a deleted key.
--
-- Answers as Redis does: nothing is false, a number that is an argument becomes text, and so does a score in a
-- reply. Members of a set come in the order of their names. A command or an option that is not here is an error.

local function new_store(base, now)
  local written, commands = {}, {}

  local function get(key, type_)
    local value = written[key]
    if value == nil then value = base[key] end
    if not value or (value[3] and value[3] <= now) then return nil end
    if type_ and value[1] ~= type_ then error({err = 'WRONGTYPE'}) end
    return value
  end

  local function content(key, type_)
    local value = get(key, type_)
    return value and value[2] or {}
  end

  -- The content of a key, which may be changed. A key that does not exist is created.
  local function changed(key, type_)
    local value = get(key, type_)
    if value and written[key] == value then return value[2] end
    local copy = {}
    for name, item in pairs(value and value[2] or {}) do copy[name] = item end
    written[key] = {type_, copy, value and value[3]}
    return copy
  end

  local function removed(key, type_, names)
    if not get(key, type_) then return 0 end
    local copy, count = changed(key, type_), 0
    for _, name in ipairs(names) do
      if copy[name] ~= nil then
        copy[name] = nil
        count = count + 1
      end
    end
    if next(copy) == nil then written[key] = false end
    return count
  end

  local function count_of(key, type_)
    local count = 0
    for _ in pairs(content(key, type_)) do count = count + 1 end
    return count
  end

  local function names_of(key, type_)
    local names = {}
    for name in pairs(content(key, type_)) do names[#names + 1] = name end
    table.sort(names)
    return names
  end

  -- Strings and keys

  function commands.TIME()
    return {text_of(math.floor(now / 1000)), text_of(now % 1000 * 1000)}
  end

  function commands.GET(key)
    local value = get(key, 'k')
    return value and value[2] or false
  end

  function commands.SET(key, text, ...)
    local options, expires, absent = {...}, nil, false
    local i = 1
    while options[i] do
      if options[i] == 'NX' then
        absent = true
      elseif options[i] == 'PX' then
        i = i + 1
        expires = now + number_of(options[i])
      else
        error({err = 'ERR syntax error'})
      end
      i = i + 1
    end
    if absent and get(key) then return false end
    written[key] = {'k', text, expires}
    return {ok = 'OK'}
  end

  function commands.INCRBY(key, by)
    local value = get(key, 'k')
    local count = number_of(value and value[2] or '0') + number_of(by)
    written[key] = {'k', text_of(count), value and value[3]}
    return count
  end

  function commands.EXISTS(key) return get(key) and 1 or 0 end

  function commands.COPY(from, to)
    local value = get(from)
    if not value or get(to) then return 0 end
    local copy = {}
    for name, item in pairs(value[2]) do copy[name] = item end
    written[to] = {value[1], copy, value[3]}
    return 1
  end

  function commands.DEL(...)
    local count = 0
    for _, key in ipairs({...}) do
      if get(key) then
        written[key] = false
        count = count + 1
      end
    end
    return count
  end

  function commands.PEXPIRE(key, ms)
    local value = get(key)
    if not value then return 0 end
    written[key] = {value[1], value[2], now + number_of(ms)}
    if written[key][1] ~= 'k' then  -- the content may still be that of the base
      local copy = {}
      for name, item in pairs(value[2]) do copy[name] = item end
      written[key][2] = copy
    end
    return 1
  end

  -- Hashes

  function commands.HGET(key, field) return content(key, 'h')[field] or false end

  function commands.HMGET(key, ...)
    local hash, found = content(key, 'h'), {}
    for i, field in ipairs({...}) do found[i] = hash[field] or false end
    return found
  end

  function commands.HGETALL(key)
    local hash, found = content(key, 'h'), {}
    for _, field in ipairs(names_of(key, 'h')) do
      found[#found + 1] = field
      found[#found + 1] = hash[field]
    end
    return found
  end

  function commands.HSET(key, ...)
    local pairs_, hash, added = {...}, changed(key, 'h'), 0
    if #pairs_ == 0 or #pairs_ % 2 == 1 then error({err = 'ERR wrong number of arguments'}) end
    for i = 1, #pairs_, 2 do
      if hash[pairs_[i]] == nil then added = added + 1 end
      hash[pairs_[i]] = pairs_[i + 1]
    end
    return added
  end

  function commands.HSETNX(key, field, value)
    if content(key, 'h')[field] then return 0 end
    changed(key, 'h')[field] = value
    return 1
  end

  function commands.HINCRBY(key, field, by)
    local count = number_of(content(key, 'h')[field] or '0') + number_of(by)
    changed(key, 'h')[field] = text_of(count)
    return count
  end

  function commands.HDEL(key, ...) return removed(key, 'h', {...}) end
  function commands.HEXISTS(key, field) return content(key, 'h')[field] and 1 or 0 end
  function commands.HKEYS(key) return names_of(key, 'h') end
  function commands.HLEN(key) return count_of(key, 'h') end
  function commands.HSTRLEN(key, field) return #(content(key, 'h')[field] or '') end

  -- Sets and lists

  function commands.SADD(key, ...)
    local set, added = changed(key, 's'), 0
    for _, member in ipairs({...}) do
      if not set[member] then added = added + 1 end
      set[member] = 1
    end
    return added
  end

  function commands.SREM(key, ...) return removed(key, 's', {...}) end
  function commands.SCARD(key) return count_of(key, 's') end
  function commands.SISMEMBER(key, member) return content(key, 's')[member] and 1 or 0 end
  function commands.SMEMBERS(key) return names_of(key, 's') end

  local function put_list(key, list)
    local value = get(key, 'l')
    written[key] = #list > 0 and {'l', list, value and value[3]} or false
  end

  function commands.RPUSH(key, ...)
    local list = changed(key, 'l')
    for _, item in ipairs({...}) do list[#list + 1] = item end
    return #list
  end

  function commands.LRANGE(key, from, to) return slice(content(key, 'l'), from, to) end

  function commands.LTRIM(key, from, to)
    if get(key, 'l') then put_list(key, slice(content(key, 'l'), from, to)) end
    return {ok = 'OK'}
  end

  function commands.LREM(key, _, wanted)  -- all of them: no script asks for fewer
    local left, before = {}, content(key, 'l')
    for _, item in ipairs(before) do
      if item ~= wanted then left[#left + 1] = item end
    end
    if #left < #before then put_list(key, left) end
    return #before - #left
  end

  add_sorted_sets(commands, content, changed, removed, count_of)

  local function call(name, ...)
    local command, arguments = commands[name], {}
    if not command then error({err = 'ERR unknown command ' .. tostring(name)}) end
    for i = 1, select('#', ...) do arguments[i] = text_of((select(i, ...))) end
    return command(unpack(arguments))
  end

  local function protected_call(...)
    local is_sound, reply = pcall(call, ...)
    if is_sound then return reply end
    return type(reply) == 'table' and reply or {err = tostring(reply)}
  end

  return {call = call, pcall = protected_call, written = written}
end
