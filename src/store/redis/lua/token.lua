-- The token, or whose turn it is: the rules of `TokenTurn`, in its order. `token` holds the token and the lease, `x:ACCOUNT`
-- a refusal.

local call, owner, held, refused, force = ARGV[2], ARGV[3], tonumber(ARGV[4]), optional(ARGV[5]), ARGV[6] == '1'
local lease, fresh, ended, accounts = tonumber(ARGV[7]), tonumber(ARGV[8]), optional(ARGV[9]), { ARGV[10], ARGV[11] }

-- Of an account that nobody uses any more (another secret is another account) nothing remains.
local KEPT = 30 * 86400000

local now = now_ms()
local flat = redis.call('HGETALL', P .. 'token')
local stored = {}
for index = 1, #flat, 2 do stored[flat[index]] = flat[index + 1] end
local refusals = {}
for index, account in ipairs(accounts) do refusals[index] = redis.call('GET', P .. 'x:' .. account) end

local function number(field)
  return number_of(stored[field] or '0', field)
end

local alive = stored.token and number('ends') > now
local same = alive and stored.token == refused
local young = alive and now - number('fetched') < fresh

local function token()
  return { stored.token, stored.fence, digits(math.max(0, now - number('fetched'))),
    digits(math.max(0, number('due') - now)), digits(number('ends') - now) }
end

if alive and refused then
  if not same or number('fence') > held then return { 'token', token() } end
  if young and stored.again == '1' then return { 'just_fetched' } end
end
if alive and force and young then return { 'token', token() } end
if alive and not refused and not force and number('due') > now then return { 'token', token() } end

for index = 1, #accounts do
  local text = refusals[index]
  if text then
    local ends, errcode, errmsg = string.match(text, '^(%d+) (-?%d+) (.*)$')
    if not ends then corrupt('refusal') end
    if tonumber(ends) > now then
      if alive and not same and not force then return { 'token', token() } end
      return { 'refused', errcode, digits(tonumber(ends) - now), errmsg }
    end
  end
end

local current = alive and not same and token() or {}
if stored.owner and number('over') > now and stored.owner ~= ended then
  -- The same call again, because its answer was lost.
  if stored.call == call then return { 'fetch', stored.leased, current } end
  return { 'busy', stored.owner, digits(number('over') - now), current }
end

-- The time, or one more: above the fences of a server that was restarted empty, too.
local fence = digits(math.max(now, number('leased') + 1, number('fence') + 1))
write_version(unversioned)
redis.call('HSET', P .. 'token', 'leased', fence, 'owner', owner, 'over', digits(now + lease), 'call', call)
redis.call('PEXPIRE', P .. 'token', KEPT)
return { 'fetch', fence, current }
