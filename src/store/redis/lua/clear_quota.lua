-- Forgets pauses and the day's counts of one API, or of all.
local api, day = optional(ARGV[2]), ARGV[3]
local calls, pauses = P .. 'c:' .. day, P .. 'p'
if not api then
  redis.call('DEL', calls, pauses)
  return
end
redis.call('HLEN', pauses)
redis.call('HDEL', calls, api)
redis.call('HDEL', pauses, api)
