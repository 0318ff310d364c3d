-- Replaces words of a call that are stored, and adds none.
--
-- ARGV  1 key of the call's transcript or of its updates, then pairs: name of an entry, what replaces it
for i = 2, #ARGV, 2 do
  if redis.call('HEXISTS', ARGV[1], ARGV[i]) == 1 then
    redis.call('HSET', ARGV[1], ARGV[i], ARGV[i + 1])
  end
end
