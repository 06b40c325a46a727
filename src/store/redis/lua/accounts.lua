-- Accounts that have, or had, messages in their outbox, behind a place in their order: whether nobody has noted it for long,
-- and the account, in turn.
local from, limit, long = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local found = redis.call('ZRANGE', P .. 'accounts', from, from + limit - 1, 'WITHSCORES')
local stale = now_ms() - long
local result = {}
for index = 1, #found, 2 do
  result[#result + 1] = tonumber(found[index + 1]) < stale and '1' or '0'
  result[#result + 1] = found[index]
end
return result
