-- Calls of one API on one day, and its pause if it holds now.
local api, day = ARGV[2], ARGV[3]
local calls = redis.call('HGET', P .. 'c:' .. day, api) or '0'
local pause = redis.call('HGET', P .. 'p', api)
if pause then
  local errcode, ends = string.match(pause, '^(-?%d+) (-?%d+)$')
  if not errcode then corrupt('pause') end
  if tonumber(ends) > now_ms() then return { calls, errcode, ends } end
end
return { calls }
