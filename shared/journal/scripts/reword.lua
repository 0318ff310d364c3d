#!lua flags=allow-oom
-- Gives intents other words: without what their caller has said since to be verified. Nothing of them may have
-- reached Salesforce, which would get two versions of the same.
--
-- ARGV  1 prefix, then for each intent: its id, its draft as it was read (JSON), the new draft (JSON), what the
--       agent said about it
--
-- Returns how many intents got them: not those whose draft has changed since.
local OPEN = {held = true, due = true, parked = true}
local count = 0
for i = 2, #ARGV, 4 do
  local key = ARGV[1] .. 'intent:' .. ARGV[i]
  local is = redis.call('HMGET', key, 'state', 'in_doubt', 'payload')
  if OPEN[is[1] or ''] and is[2] ~= '1' and is[3] == ARGV[i + 1] then
    redis.call('HSET', key, 'payload', ARGV[i + 2], 'said', ARGV[i + 3])
    count = count + 1
  end
end
return count
