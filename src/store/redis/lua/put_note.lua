-- Puts a text in place of the one that the caller has seen ('0': none); answers what stands then, 1 if it is what was put.
local seen, version, lifetime, text = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local stored = standing()
-- The same call again, because its answer was lost.
if stored[1] == version then return 1 end
if (stored[1] or '0') ~= seen then return stored end
write_version(unversioned)
redis.call('HSET', key, 'version', version, 'text', text, 'written', digits(now_ms()))
redis.call('PEXPIRE', key, lifetime)
return 1
