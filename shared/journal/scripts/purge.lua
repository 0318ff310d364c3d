-- Retention: what was delivered or cancelled loses its personal data, and later its receipt.
--
-- ARGV  1 prefix, 2 ms until personal data goes, 3 ms until the receipt goes, 4 limit of each
--
-- `vs:settled` holds what still has its draft, `vs:receipts` what has only its receipt left. Parked
-- intents stay whole: a person needs them.
--
-- What is left is written anew: a hash of few and short fields takes a fifth of the memory, and one that
-- had a long field keeps its size. (A receipt's own time is that of its settling.)
--
-- Returns how many intents lost something; fewer than limit of each kind are all there were.
local p, data_ms, receipt_ms, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local LEFT = {'kind', 'state', 'schema', 'call', 'tool', 'reference', 'fingerprint', 'accepted', 'attempts',
  'in_doubt', 'settled', 'reason', 'receipt'}
local now = clock_ms()
local changed = 0
redis.call('SET', p .. 'retention:last', now)

local function shortened(text)
  local is_json, receipt = pcall(cjson.decode, text)
  if not is_json then return text end
  receipt.at_ms = nil
  return cjson.encode(receipt)
end

local function purge(id)
  local key = p .. 'intent:' .. id
  local values = redis.call('HMGET', key, unpack(LEFT))
  local left = {'payload', '{}'}
  for i, name in ipairs(LEFT) do
    local value = name == 'receipt' and values[i] and shortened(values[i]) or values[i]
    if value and value ~= '' then
      left[#left + 1] = name
      left[#left + 1] = value
    end
  end
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(left))
end

local old = redis.call('ZRANGEBYSCORE', p .. 'settled', '-inf', now - data_ms, 'WITHSCORES', 'LIMIT', 0, limit)
for i = 1, #old, 2 do
  -- What is no hash is deleted whole.
  if not pcall(purge, old[i]) then redis.call('DEL', p .. 'intent:' .. old[i]) end
  redis.call('ZREM', p .. 'settled', old[i])
  redis.call('ZADD', p .. 'receipts', old[i + 1], old[i])
  changed = changed + 1
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', p .. 'receipts', '-inf', now - receipt_ms, 'LIMIT', 0, limit)) do
  local reference = redis.pcall('HGET', p .. 'intent:' .. id, 'reference')
  if type(reference) == 'string' and reference ~= '' then redis.call('DEL', p .. 'reference:' .. reference) end
  redis.call('DEL', p .. 'intent:' .. id)
  redis.call('ZREM', p .. 'intents', id)
  redis.call('ZREM', p .. 'receipts', id)
  changed = changed + 1
end
return changed
