-- Calls of one API on one day, and its pause if it holds now.
local api, day = ARGV[2], ARGV[3]
local calls = redis.call('HGET', P .. 'c:' .. day, api) or '0'
return { calls, pause_of(api, now_ms()) }
