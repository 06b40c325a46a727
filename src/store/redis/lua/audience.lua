-- Users whom a template can reach, behind a cursor: how many were looked at, then openid and count in turn.
local template, cursor, limit = ARGV[2], optional(ARGV[3]), ARGV[4]
local users = redis.call('ZRANGEBYLEX', P .. 'e:' .. template, cursor and '(' .. cursor or '-', '+', 'LIMIT', 0, limit)
local result = { #users, users[#users] or '' }
for _, openid in ipairs(users) do
  local row = ledger_row(openid, template)
  if reachable(row) then
    result[#result + 1] = openid
    result[#result + 1] = digits(math.max(1, available(row)))
  end
end
return result
