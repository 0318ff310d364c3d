#!lua flags=allow-oom
-- The intents of a list, in its order: each id with its row. Omits rows that are not hashes.
--
-- ARGV  1 prefix, 2 the list's name
local rows = {}
for _, id in ipairs(redis.call('LRANGE', ARGV[1] .. ARGV[2], 0, -1)) do
  local row = redis.pcall('HGETALL', ARGV[1] .. 'intent:' .. id)
  if not row.err and next(row) then rows[#rows + 1] = {id, row} end
end
return rows
