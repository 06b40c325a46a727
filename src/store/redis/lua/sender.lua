-- The settings with which an account's messages are sent: version and settings, or nothing.
local stored = redis.call('HMGET', P .. 'sender', 'version', 'settings')
return stored[1] and stored[2] and stored or {}
