-- What is known of a route to WeChat: version and record, or nothing.
local stored = redis.call('HMGET', P .. 'h', 'version', 'record')
return stored[1] and stored or {}
