-- Puts a record in place of the one that the caller has seen ('0': none); answers what stands then. A call that is repeated
-- because its answer was lost finds its own record.
local seen, version, record, lifetime = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local key = P .. 'h'
local stored = redis.call('HMGET', key, 'version', 'record')
if (stored[1] or '0') ~= seen then return stored[1] and stored or {} end
redis.call('HSET', key, 'version', version, 'record', record)
redis.call('PEXPIRE', key, lifetime)
return { version, record }
