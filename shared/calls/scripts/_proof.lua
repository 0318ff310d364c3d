-- True for a proof (JSON) that says: too many wrong answers. It lasts as long as the call.
local function is_lock(proof)
  return proof and proof ~= '' and cjson.decode(proof).tier == 'unknown'
end
