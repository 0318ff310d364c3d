-- Remembers one more answer of a call's caller, so that two of them at the same moment are both kept.
--
-- ARGV  1 key of the call, 2 the entry (see shared/calls/secrets_said.py), 3 how many are kept,
--       4 how long the call is stored (ms)
--
-- Returns all entries of the call, the newest last. Nothing is remembered of a call that was erased.
local entries = {}
if redis.call('HEXISTS', ARGV[1], 'erased') == 1 then return entries end
for entry in string.gmatch(redis.call('HGET', ARGV[1], 'secrets_said') or '', '%S+') do
  if entry ~= ARGV[2] then entries[#entries + 1] = entry end
end
entries[#entries + 1] = ARGV[2]
while #entries > tonumber(ARGV[3]) do table.remove(entries, 1) end
redis.call('HSET', ARGV[1], 'secrets_said', table.concat(entries, ' '))
redis.call('PEXPIRE', ARGV[1], ARGV[4])
return entries
