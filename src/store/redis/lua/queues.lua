-- The queues of an account that hold messages: channel, how soon one is due, how soon a lease is over ('' for neither), and
-- the version of the sender's settings, in turn.
local now = now_ms()
local version = redis.call('HGET', P .. 'sender', 'version') or ''

local function soonest(set)
  local first = redis.call('ZRANGE', P .. set, 0, 0, 'WITHSCORES')
  return first[2] and digits(math.max(0, tonumber(first[2]) - now)) or ''
end

local result = {}
for _, channel in ipairs({ 'subscribe', 'bizsend', 'template' }) do
  if redis.call('ZCARD', P .. 'o:' .. channel) > 0 then
    local due = redis.call('ZCARD', P .. 'n:' .. channel) > 0 and '0' or soonest('q:' .. channel)
    for _, part in ipairs({ channel, due, soonest('f:' .. channel), version }) do result[#result + 1] = part end
  end
end
return result
