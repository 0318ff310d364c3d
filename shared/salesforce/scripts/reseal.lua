#!lua flags=allow-oom
-- Replaces a stored refresh token by the same one under another key, unless it has changed meanwhile.
--
-- ARGV  1 key, 2 what was stored, 3 what replaces it
if redis.call('HGET', ARGV[1], 'token') == ARGV[2] then
  redis.call('HSET', ARGV[1], 'token', ARGV[3])
end
