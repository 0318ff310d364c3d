-- How a settled intent loses its personal data, and later everything.

local LEFT = {'kind', 'state', 'schema', 'call', 'tool', 'reference', 'fingerprint', 'accepted', 'attempts',
  'in_doubt', 'settled', 'reason', 'receipt', 'trace'}

local function shortened(text)
  local is_json, receipt = pcall(cjson.decode, text)
  if not is_json then return text end
  receipt.at_ms, receipt.contact_id = nil, nil
  return cjson.encode(receipt)
end

-- The remaining fields are written to a new hash: a hash of few, short fields takes a fifth of the memory,
-- but one that ever had a long field keeps its size. The receipt's own time is dropped, because `settled`
-- says the same, and the contact, which only the draft's number leads to.
local function write_receipt(key)
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

-- Removes the personal data of an intent in `settled`. A row that is not a hash is deleted whole.
local function purge_texts(p, id, settled_at)
  local key = p .. 'intent:' .. id
  if not pcall(write_receipt, key) then redis.call('DEL', key) end
  redis.call('ZREM', p .. 'settled', id)
  redis.call('ZADD', p .. 'receipts', settled_at, id)
end

-- Removes a settled intent. Its record in Salesforce still has its id as the key.
local function purge_row(p, id)
  local is = redis.pcall('HMGET', p .. 'intent:' .. id, 'reference', 'receipt', 'trace')
  if is[1] and is[1] ~= '' then redis.call('DEL', p .. 'reference:' .. is[1]) end
  local is_json, receipt = pcall(cjson.decode, is[2])
  if is_json and type(receipt) == 'table' and type(receipt.number) == 'string' then
    redis.call('DEL', p .. 'case-number:' .. receipt.number)
  end
  if is[3] and is[3] ~= '' then redis.call('ZREM', p .. 'trace:' .. is[3], id) end
  redis.call('DEL', p .. 'intent:' .. id)
  for _, place in ipairs({'intents', 'settled', 'receipts', 'promises:broken'}) do redis.call('ZREM', p .. place, id) end
end
