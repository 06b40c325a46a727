-- Stores a token and ends the lease of its fence: 1, or 0 if a newer one is there.
local fence, token, renew_in, ends_in = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local key, now = P .. 'token', now_ms()
local stored, leased, owner, former, again =
  unpack(redis.call('HMGET', key, 'fence', 'leased', 'owner', 'token', 'again'))
redis.call('EXISTS', P .. 'x:' .. ARGV[6])
local newer = stored and number_of(stored, 'fence') > tonumber(fence)
write_version(unversioned)
if owner and leased == fence then redis.call('HDEL', key, 'owner', 'over', 'call') end
if newer then return 0 end
-- WeChat issued the token that was stored already; a call that is repeated does not make it so.
local repeated = stored == fence
if not repeated then again = former == token and '1' or '0' end
redis.call('HSET', key, 'token', token, 'fence', fence, 'fetched', digits(now), 'due', digits(now + renew_in), 'ends',
  digits(now + ends_in), 'again', again or '0')
redis.call('DEL', P .. 'x:' .. ARGV[6])
return 1
