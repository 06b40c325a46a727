-- Remembers WeChat's refusal and ends the lease of that fence.
local account, fence, errcode, errmsg, stands = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local leased, owner = unpack(redis.call('HMGET', P .. 'token', 'leased', 'owner'))
write_version(unversioned)
redis.call('SET', P .. 'x:' .. account, digits(now_ms() + stands) .. ' ' .. errcode .. ' ' .. errmsg, 'PX', math.max(1, stands))
if owner and leased == fence then redis.call('HDEL', P .. 'token', 'owner', 'over', 'call') end
