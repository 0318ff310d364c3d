-- include: calls/_proof
-- Stores what a caller has shown about themselves. Not when the call was transferred meanwhile, because
-- somebody else may speak now, and not over a lock.
--
-- ARGV  key of the call, the proof as JSON, how many transfers the call had when the caller showed it,
--       life of the call (ms)
--
-- Returns 1 when it is stored, else 0.
local key, proof = ARGV[1], ARGV[2]
local call = redis.call('HMGET', key, 'proof', 'transfers', 'erased')
if call[3] or is_lock(call[1]) then return 0 end
if not is_lock(proof) and tonumber(call[2] or 0) ~= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', key, 'proof', proof)
redis.call('PEXPIRE', key, ARGV[4])
return 1
