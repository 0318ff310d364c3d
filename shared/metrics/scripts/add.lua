#!lua flags=allow-oom
-- Adds what a process counted since its last step. The same step again changes nothing, so that a step
-- whose reply was lost can be sent again. Runs on a full store too: what is stored is bounded, and an
-- operator needs the figures then.
--
-- ARGV  1 prefix, 2 id of the process, 3 number of the step, 4 ms to store that number, 5 max series,
--       6... series, amount, series, amount, ...
--
-- Returns 1, or 0 for a step that was added before.
local p = ARGV[1]
local last_step = p .. 'metrics:step:' .. ARGV[2]
if redis.call('GET', last_step) == ARGV[3] then return 0 end
local metrics = p .. 'metrics'
local size, max = redis.call('HLEN', metrics), tonumber(ARGV[5])
for i = 6, #ARGV, 2 do
  local is_known = redis.call('HEXISTS', metrics, ARGV[i]) == 1
  if is_known or size < max then
    redis.call('HINCRBYFLOAT', metrics, ARGV[i], ARGV[i + 1])
    if not is_known then size = size + 1 end
  end
end
redis.call('SET', last_step, ARGV[3], 'PX', ARGV[4])
return 1
