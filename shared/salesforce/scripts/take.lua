-- Takes the numbers that lookups wait for and that no request in flight asks for.
--
-- ARGV  1 prefix, 2 the asking lookup's number, 3 max numbers, 4 ms until another request may ask for
--       them, whatever happened to this one, 5 ms after which no lookup waits for a number any more,
--       6 the key of the counter of these requests, 7 no number is taken when the asking lookup's has a
--       snapshot of a later request than this one
--
-- Keys, under prefix:
--   wanted            sorted set: numbers by the time when a lookup began to wait
--   asking:{number}   string: when the request in flight left (ms); "failed:..." for a moment after a
--                     failure, for the lookups that waited for it
--
-- Returns {now in ms, which request this is, number, number, ...}; no number when requests in flight ask for all of
-- them.
local p, number = ARGV[1], ARGV[2]
local limit, asking_ms, waits_ms = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local wanted = p .. 'wanted'
local now = clock_ms()
local is_json, snapshot = pcall(cjson.decode, redis.call('GET', p .. 'snapshot:' .. number) or '')
if is_json and type(snapshot) == 'table' and (tonumber(snapshot.nth) or 0) > tonumber(ARGV[7]) then return {now, 0} end
redis.call('ZREMRANGEBYSCORE', wanted, '-inf', now - waits_ms)
redis.call('ZREM', wanted, number)
local taken = {now, 0}
local function take(waiting)
  if tonumber(redis.call('GET', p .. 'asking:' .. waiting) or '') then return end
  redis.call('SET', p .. 'asking:' .. waiting, now, 'PX', asking_ms)
  taken[#taken + 1] = waiting
end
take(number)
for _, waiting in ipairs(redis.call('ZRANGE', wanted, 0, limit - 2)) do
  redis.call('ZREM', wanted, waiting)
  take(waiting)
end
if #taken > 2 then taken[2] = redis.call('INCR', ARGV[6]) end
return taken
