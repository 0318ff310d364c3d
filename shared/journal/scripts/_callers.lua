-- The lists of what was accepted from a number. Calls with a forged number are in its list as well, so a list
-- that is too long is not simply cut at its end.

local SHOWN_LATER = {case_create = true, case_close = true, contact_update = true}

-- Shortens a list to `most` entries. First goes what no later call shows, the oldest first; then the oldest entry
-- of the call that has the most, so that one call can't push out what others asked for.
local function shorten(p, list, most)
  local ids = redis.call('LRANGE', list, 0, -1)
  if #ids <= most then return end
  local entries, of_call = {}, {}
  for _, id in ipairs(ids) do
    local is = redis.pcall('HMGET', p .. 'intent:' .. id, 'kind', 'call')
    if is.err then is = {} end
    local call = is[2] or ''
    entries[#entries + 1] = {id = id, call = call, shown = SHOWN_LATER[is[1] or ''] or false}
    of_call[call] = (of_call[call] or 0) + 1
  end
  for _ = most + 1, #ids do
    local drop
    for at, entry in ipairs(entries) do
      if not entry.shown then
        drop = at
        break
      end
      if not drop or of_call[entry.call] > of_call[entries[drop].call] then drop = at end
    end
    local entry = table.remove(entries, drop)
    of_call[entry.call] = of_call[entry.call] - 1
    redis.call('LREM', list, 1, entry.id)
  end
end
