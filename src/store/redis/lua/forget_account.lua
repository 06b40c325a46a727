-- Forgets an account whose outbox has been empty, unless somebody has noted it since.
local account, long = ARGV[2], tonumber(ARGV[3])
local noted = redis.call('ZSCORE', P .. 'accounts', account)
if noted and tonumber(noted) < now_ms() - long then redis.call('ZREM', P .. 'accounts', account) end
