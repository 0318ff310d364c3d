-- Decides whether an attempt to sign in counts. A wrong attempt is counted. After too many of them, no
-- attempt from that address counts until the window is over, not even a right one: otherwise the
-- answer would show which guess was right.
--
-- ARGV  1 prefix, 2 length of a window (ms), 3 digest of the address, 4 "1" for a right attempt,
--       5 wrong attempts that an address has, 6 the same once the limit for all is reached,
--       7 limit for all addresses together, 8 max addresses that are counted in a window; one more takes
--       the place of another
--
-- Key, under prefix:
--   sign-ins  hash: digest of an address → its wrong attempts; all → those of all addresses. Created by
--             the first wrong attempt, and expires when the window that begins with it is over
--
-- Returns {ms until an attempt from this address counts again, 0 when this one counts; its wrong
-- attempts so far, with this one}.
local p, window_ms, address = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local key = p .. 'sign-ins'
local stored = redis.call('HMGET', key, address, 'all')
local wrong, all = tonumber(stored[1] or 0), tonumber(stored[2] or 0)
local allowed = tonumber(all >= tonumber(ARGV[7]) and ARGV[6] or ARGV[5])
if wrong >= allowed then return {redis.call('PTTL', key), wrong} end
if ARGV[4] == '1' then return {0, wrong} end
if wrong == 0 and redis.call('HLEN', key) > tonumber(ARGV[8]) then
  -- An address that was not counted could guess without limit, so it takes the place of a random other one.
  local some = redis.call('HRANDFIELD', key, 2)
  redis.call('HDEL', key, some[1] ~= 'all' and some[1] or some[2])
end
redis.call('HINCRBY', key, address, 1)
redis.call('HINCRBY', key, 'all', 1)
if all == 0 then redis.call('PEXPIRE', key, window_ms) end
return {0, wrong + 1}
