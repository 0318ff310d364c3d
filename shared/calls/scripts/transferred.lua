-- include: calls/_proof
-- A call is transferred: whoever speaks from now on has shown nothing. A lock stays.
--
-- ARGV  key of the call, life of the call (ms)
local key = ARGV[1]
local call = redis.call('HMGET', key, 'proof', 'erased')
if call[2] then return end
redis.call('HINCRBY', key, 'transfers', 1)
if not is_lock(call[1]) then redis.call('HDEL', key, 'proof') end
redis.call('PEXPIRE', key, ARGV[2])
