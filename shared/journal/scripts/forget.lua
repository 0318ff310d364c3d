-- Retention: what was delivered or cancelled loses its personal data, and later its receipt.
--
-- ARGV  1 prefix, 2 ms until personal data goes, 3 ms until the receipt goes, 4 most of each
--
-- `vs:settled` holds what still has its draft, `vs:receipts` what has only its receipt left. Parked
-- intents stay whole: a person needs them.
--
-- Returns how many intents lost something.
local p, data_ms, receipt_ms, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local now = clock_ms()
local changed = 0
local old = redis.call('ZRANGEBYSCORE', p .. 'settled', '-inf', now - data_ms, 'WITHSCORES', 'LIMIT', 0, most)
for i = 1, #old, 2 do
  redis.call('HSET', p .. 'intent:' .. old[i], 'payload', '{}', 'said', '', 'detail', '')
  redis.call('ZREM', p .. 'settled', old[i])
  redis.call('ZADD', p .. 'receipts', old[i + 1], old[i])
  changed = changed + 1
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', p .. 'receipts', '-inf', now - receipt_ms, 'LIMIT', 0, most)) do
  local reference = redis.call('HGET', p .. 'intent:' .. id, 'reference')
  if reference and reference ~= '' then redis.call('DEL', p .. 'reference:' .. reference) end
  redis.call('DEL', p .. 'intent:' .. id)
  redis.call('ZREM', p .. 'intents', id)
  redis.call('ZREM', p .. 'receipts', id)
  changed = changed + 1
end
return changed
