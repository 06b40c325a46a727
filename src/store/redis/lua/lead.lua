-- Who adopts what others of a host have left: nothing if it is the caller, else who it is.
local owner, ended, lease = ARGV[2], optional(ARGV[3]), ARGV[4]
local leader = redis.call('GET', P .. 'lead')
if leader and leader ~= owner and leader ~= ended then return { leader } end
redis.call('SET', P .. 'lead', owner, 'PX', lease)
return {}
