#!lua flags=allow-oom
-- Releases a lock, unless it expired and another process holds it now.
--
-- ARGV  1 the lock's key, 2 its owner
if redis.call('GET', ARGV[1]) == ARGV[2] then redis.call('DEL', ARGV[1]) end
