-- The pause of an API, if it holds now: its errcode and end.
local function pause_of(api, now)
  local pause = redis.call('HGET', P .. 'p', api)
  if not pause then return end
  local errcode, ends = string.match(pause, '^(-?%d+) (-?%d+)$')
  if not errcode then corrupt('pause') end
  if tonumber(ends) > now then return errcode, ends end
end
