-- Takes one back from each counter that count.lua has counted.
--
-- ARGV  keys of counters; one that has expired stays away
for _, key in ipairs(ARGV) do
  if tonumber(redis.call('GET', key) or 0) > 0 then redis.call('DECR', key) end
end
