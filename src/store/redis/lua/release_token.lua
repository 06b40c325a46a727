-- Ends the lease of that fence without a token; the one that is there rests.
local fence, rest = ARGV[2], tonumber(ARGV[3])
local key = P .. 'token'
local leased, owner, due = unpack(redis.call('HMGET', key, 'leased', 'owner', 'due'))
if not owner or leased ~= fence then return end
due = due and math.max(number_of(due, 'due'), now_ms() + rest)
redis.call('HDEL', key, 'owner', 'over', 'call')
if due then redis.call('HSET', key, 'due', digits(due)) end
