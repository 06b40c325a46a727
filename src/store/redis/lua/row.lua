-- Delivery rows. `m:ID` is the row, `s:ID` who is sending it, `k:KEY` the id of a key; `d` lists days (of ids, UTC), `a:DAY`
-- the ids of a day, `u:DAY:OPENID` those of a receiver as the row shows him. Days expire as a whole, so nothing has to be swept.

local DAY = 86400000

local function day_of(id)
  local ms = tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16)
  return math.floor((ms or corrupt('id')) / DAY)
end

local function fields_of(flat)
  local row = {}
  for index = 1, #flat, 2 do row[flat[index]] = flat[index + 1] end
  return row
end

-- The row of an id as a flat array and as a table, or nil.
local function read_row(id)
  local flat = redis.call('HGETALL', P .. 'm:' .. id)
  if #flat == 0 then return end
  return flat, fields_of(flat)
end

local function is_over(row, now)
  return number_of(row.lease, 'lease') <= now
end

-- The state as it reads now.
local function state_of(row, now)
  if row.state == 'sending' and is_over(row, now) then return 'unknown' end
  if row.state == 'queued' and number_of(row.ends, 'time') <= now then
    return row.unsure == '0' and 'expired' or 'unknown'
  end
  return row.state
end

-- The row as it is shown: its id in front, a lease that is over replaced by the state that it means.
local function shown(id, flat, now)
  local row = fields_of(flat)
  row.state = state_of(row, now)
  local result = { 'id', id }
  for name, value in pairs(row) do
    result[#result + 1] = name
    result[#result + 1] = value
  end
  return result
end
