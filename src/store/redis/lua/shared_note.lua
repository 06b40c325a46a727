-- Texts that the processes of an account share: `note:NAME` has version, text and when it was put there.
local key = P .. 'note:' .. ARGV[2]

-- The one that stands: version, text and age; empty if there is none.
local function standing()
  local stored = redis.call('HMGET', key, 'version', 'text', 'written')
  if not stored[1] then return {} end
  local age = now_ms() - number_of(stored[3], 'note')
  return { stored[1], stored[2], digits(math.max(0, age)) }
end
