#!lua flags=allow-oom
-- include: _purge
-- Retention: delivered and cancelled intents lose their personal data, and later their receipt.
--
-- ARGV  1 prefix, 2 ms until personal data goes, 3 ms until the receipt goes, 4 max of each
--
-- `settled` lists the intents that still have their draft, `receipts` those that have only their receipt.
-- Parked intents stay whole: an operator needs them.
--
-- Returns how many intents lost something; fewer than the maximum of each means that none is left.
local p, data_ms, receipt_ms, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local now = clock_ms()
local changed = 0
redis.call('SET', p .. 'retention:last', now)

local old = redis.call('ZRANGEBYSCORE', p .. 'settled', '-inf', now - data_ms, 'WITHSCORES', 'LIMIT', 0, limit)
for i = 1, #old, 2 do
  purge_texts(p, old[i], old[i + 1])
  changed = changed + 1
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', p .. 'receipts', '-inf', now - receipt_ms, 'LIMIT', 0, limit)) do
  purge_row(p, id)
  changed = changed + 1
end
return changed
