#!lua flags=allow-oom
-- include: _purge
-- Delivered and cancelled intents lose their personal data before retention takes it.
--
-- ARGV  1 prefix, 2... ids
--
-- Intents in any other state do not change. Returns the ids of those that lost something.
local p, purged = ARGV[1], {}
for i = 2, #ARGV do
  local settled_at = redis.call('ZSCORE', p .. 'settled', ARGV[i])
  if settled_at then
    purge_texts(p, ARGV[i], settled_at)
    purged[#purged + 1] = ARGV[i]
  end
end
return purged
