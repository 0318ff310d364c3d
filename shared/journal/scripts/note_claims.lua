-- Records claims of an agent that nothing backs. Each phrase counts once in a call.
--
-- ARGV  1 prefix, 2 call, 3 how many claims are stored, 4 for how long (ms), 5... triples: phrase, its kind,
--       when it was said (ms)
--
-- Returns how many are new.
local p, call = ARGV[1], ARGV[2]
local now, count = clock_ms(), 0
local unbacked = p .. 'claims:unbacked'
for i = 5, #ARGV, 3 do
  local name, at = call .. ' ' .. ARGV[i], tonumber(ARGV[i + 2])
  if at <= 0 or at > now or at < now - tonumber(ARGV[4]) then at = now end
  if redis.call('ZADD', unbacked, 'NX', at, name) == 1 then
    count = count + 1
    count_promise(p, now, 'unbacked:' .. ARGV[i + 1])
  end
end
redis.call('ZREMRANGEBYSCORE', unbacked, '-inf', now - tonumber(ARGV[4]))
redis.call('ZREMRANGEBYRANK', unbacked, 0, -tonumber(ARGV[3]) - 1)
return count
