#!lua flags=allow-oom
-- A session of the console begins. The user's oldest one ends when they have too many.
--
-- ARGV  1 prefix, 2 digest of the session's token, 3 digest of the user's name, 4 the session,
--       5 ms that it lasts without a request, 6 ms that it lasts at most, 7 sessions that a user has
--       at a time
--
-- Keys, under prefix:
--   console:session:{digest}   string: the session
--   console:sessions:{digest}  list: digests of the sessions of the user, the newest first. Those that
--                              have ended leave it here, so that they do not end one that lasts
--
-- Returns nothing.
local p, token = ARGV[1], ARGV[2]
local all = p .. 'console:sessions:' .. ARGV[3]
local lasting = 1
for _, other in ipairs(redis.call('LRANGE', all, 0, -1)) do
  if redis.call('EXISTS', p .. 'console:session:' .. other) == 0 then
    redis.call('LREM', all, 1, other)
  elseif lasting == tonumber(ARGV[7]) then
    redis.call('LREM', all, 1, other)
    redis.call('DEL', p .. 'console:session:' .. other)
  else
    lasting = lasting + 1
  end
end
redis.call('LPUSH', all, token)
redis.call('PEXPIRE', all, ARGV[6])
redis.call('SET', p .. 'console:session:' .. token, ARGV[4], 'PX', ARGV[5])
