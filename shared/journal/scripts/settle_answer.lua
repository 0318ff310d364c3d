-- Stores the answer of a tool call, unless another delivery of the same call stored one first.
--
-- KEYS  1 the answer's key
-- ARGV  1 the claim's token, 2 the answer's text, 3 ms to store it, or 0 to drop the claim instead
--
-- Returns the text to be said.
local stored = redis.call('GET', KEYS[1])
if stored and string.sub(stored, 1, 8) ~= 'working:' then return stored end
if tonumber(ARGV[3]) > 0 then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
elseif stored == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return ARGV[2]
