-- Delivery rows, newest first. Looks at and brings so many rows only, that no other client waits long, and says where to go on.

local openid, template, key, state = optional(ARGV[2]), optional(ARGV[3]), optional(ARGV[4]), optional(ARGV[5])
local before, since, limit, budget = ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local now = now_ms()
local result = { '' }

local function consider(id)
  local flat, row = read_row(id)
  if flat and (not openid or row.openid == openid) and (not template or row.template == template)
    and (not key or row.key == key) and (not state or state_of(row, now) == state) then
    result[#result + 1] = shown(id, flat, now)
  end
end

if key then
  local id = redis.call('GET', P .. 'k:' .. key)
  if id and (before == '' or id < before) and id >= since then consider(id) end
  return result
end

local newest = before == '' and '+inf' or day_of(before)
for _, day in ipairs(redis.call('ZREVRANGEBYSCORE', P .. 'd', newest, day_of(since))) do
  local list = P .. 'a:' .. day
  if openid then list = P .. 'u:' .. day .. ':' .. openid end
  local top = before == '' and '+' or '(' .. before
  while true do
    local ids = redis.call('ZREVRANGEBYLEX', list, top, '[' .. since, 'LIMIT', 0, 100)
    for _, id in ipairs(ids) do
      consider(id)
      budget = budget - 1
      if #result > limit or budget <= 0 then
        result[1] = id
        return result
      end
    end
    if #ids < 100 then break end
    top = '(' .. ids[#ids]
  end
end
return result
