-- Runs calls on a state, each list of calls on a copy of its own.
--
-- ARGV  1 JSON object {now = ms, store = {key = value}, see store.lua}
--       2 JSON list of lists of calls: {name, keys, args}, the name of a script or of a command
--
-- Returns a JSON list with an object for each list of calls: {replies, written = {key = value, or false for a
-- deleted key}}, or {failed = text}.
local state, wanted = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])

local function message_of(failure)
  return type(failure) == 'table' and tostring(failure.err) or tostring(failure)
end

local outcomes = {}
for i, calls in ipairs(wanted) do
  local store = new_store(state.store, state.now)
  local replies = {}
  local is_sound, failure = pcall(function()
    for j, call in ipairs(calls) do
      local script = scripts[call[1]]
      local reply
      if script then
        reply = script(store, call[2], call[3])
      else
        reply = store.call(call[1], unpack(call[3]))
      end
      replies[j] = reply == nil and false or reply
    end
  end)
  outcomes[i] = is_sound and {replies = replies, written = store.written} or {failed = message_of(failure)}
end
return cjson.encode(outcomes)
