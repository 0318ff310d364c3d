#!lua flags=allow-oom
-- Retention: delivered and cancelled intents lose their personal data, and later their receipt.
--
-- ARGV  1 prefix, 2 ms until personal data goes, 3 ms until the receipt goes, 4 max of each
--
-- `settled` lists the intents that still have their draft, `receipts` those that have only their receipt.
-- Parked intents stay whole: an operator needs them.
--
-- The remaining fields are written to a new hash: a hash of few, short fields takes a fifth of the
-- memory, but one that ever had a long field keeps its size. The receipt's own time is dropped, because
-- `settled` says the same.
--
-- Returns how many intents lost something; fewer than the maximum of each means that none is left.
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
  -- A row that is not a hash is deleted whole.
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
