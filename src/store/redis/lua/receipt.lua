-- Writes into a row what WeChat said of its arrival; answers its id, or nothing if none of the receiver's newest rows has that
-- msgid.

local openid, msgid, text, left = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
for _, day in ipairs(redis.call('ZREVRANGE', P .. 'd', 0, -1)) do
  local ids = redis.call('ZREVRANGEBYLEX', P .. 'u:' .. day .. ':' .. openid, '+', '-', 'LIMIT', 0, left)
  for _, id in ipairs(ids) do
    if redis.call('HGET', P .. 'm:' .. id, 'msgid') == msgid then
      redis.call('HSETNX', P .. 'm:' .. id, 'receipt', text)
      return { id }
    end
  end
  left = left - #ids
  if left <= 0 then return {} end
end
return {}
