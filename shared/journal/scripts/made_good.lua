#!lua flags=allow-oom
-- A person was asked to make broken promises good, or nobody can be.
--
-- ARGV  1 prefix, 2 "made_good", or "unreachable" when there is nobody to call, 3... ids
--
-- Each counts once. Returns how many.
local p, what = ARGV[1], ARGV[2]
local count = 0
for i = 3, #ARGV do
  if redis.call('ZREM', p .. 'promises:broken', ARGV[i]) == 1 then
    count = count + 1
  end
end
if count > 0 then count_promise(p, clock_ms(), what, count) end
return count
