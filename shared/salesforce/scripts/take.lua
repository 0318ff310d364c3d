-- Takes the numbers that somebody waits for and that nobody asks Salesforce for yet.
--
-- ARGV  1 prefix, 2 the number of whoever asks, 3 limit numbers, 4 ms until they may be asked for by
--       somebody else, whatever became of this, 5 ms after which nobody waits for a number any more
--
-- Keys, under prefix:
--   wanted            sorted set: numbers by the time somebody began to wait
--   asking:{number}   string: when a request for it left (ms) while it is in flight; "failed:..."
--                     for a moment after one, which those who waited for it are to see
--
-- Returns {now in ms, number, number, ...}; no number when all of them are being asked for.
local p, number = ARGV[1], ARGV[2]
local limit, asking_ms, waits_ms = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local wanted = p .. 'wanted'
local now = clock_ms()
redis.call('ZREMRANGEBYSCORE', wanted, '-inf', now - waits_ms)
redis.call('ZREM', wanted, number)
local taken = {now}
local function take(one)
  if tonumber(redis.call('GET', p .. 'asking:' .. one) or '') then return end
  redis.call('SET', p .. 'asking:' .. one, now, 'PX', asking_ms)
  taken[#taken + 1] = one
end
take(number)
for _, one in ipairs(redis.call('ZRANGE', wanted, 0, limit - 2)) do
  redis.call('ZREM', wanted, one)
  take(one)
end
return taken
