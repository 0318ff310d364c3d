-- Counts something once with several counters, unless one of them is used up.
--
-- ARGV  triples: the key of a counter, how many it allows, for how long (ms) they count
--
-- Returns how many more the first counter allows after this one. When a counter is used up, nothing is
-- counted: -1 for the first one, -2 for another.
local function counted(i) return tonumber(redis.call('GET', ARGV[i]) or 0) end

for i = 1, #ARGV, 3 do
  if counted(i) >= tonumber(ARGV[i + 1]) then return i == 1 and -1 or -2 end
end
for i = 1, #ARGV, 3 do
  if redis.call('INCR', ARGV[i]) == 1 then redis.call('PEXPIRE', ARGV[i], ARGV[i + 2]) end
end
return tonumber(ARGV[2]) - counted(1)
