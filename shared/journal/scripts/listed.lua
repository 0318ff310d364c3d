#!lua flags=allow-oom
-- The intents of lists, in their order: each id with its row. Omits rows that are not hashes.
--
-- ARGV  1 prefix, 2... the names of the lists
local rows = {}
for nth = 2, #ARGV do
  for _, id in ipairs(redis.call('LRANGE', ARGV[1] .. ARGV[nth], 0, -1)) do
    local row = redis.pcall('HGETALL', ARGV[1] .. 'intent:' .. id)
    if not row.err and next(row) then rows[#rows + 1] = {id, row} end
  end
end
return rows
