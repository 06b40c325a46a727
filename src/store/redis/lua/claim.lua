-- Takes messages of one queue: `Store::claim`. All of them are looked at before the first is written. No two that go have one
-- receiver, and one that ends moves no count of the ledger, so what is found out about each holds until it is written.

local claim = {
  id = ARGV[2], owner = ARGV[3], channel = ARGV[4], api = ARGV[5], limit = tonumber(ARGV[6]), margin = tonumber(ARGV[7]),
  retention = tonumber(ARGV[8]), counts = ARGV[9] == '1', unsure_limit = tonumber(ARGV[10]),
}
local now = now_ms()
local memory = P .. 'j:' .. claim.id

-- The same call again, because its answer was lost.
local remembered = redis.call('GET', memory)
if remembered then
  local more, rest = string.match(remembered, '^([01])(.*)$')
  local jobs, ended = {}, {}
  for id, epoch, state in string.gmatch(rest or corrupt('claim'), ' (%S+) (%d+) (%S+)') do
    local _, row = read_row(id)
    if state ~= 'sending' then
      ended[#ended + 1] = { id, state }
    elseif row and row.state == state and row.epoch == epoch and not is_over(row, now) then
      local body = redis.call('GET', P .. 'b:' .. id)
      if body then jobs[#jobs + 1] = job(id, row, body, now) end
    end
  end
  return { 'claimed', more, jobs, ended }
end

local errcode, ends = pause_of(claim.api, now)
if errcode then return { 'paused', errcode, ends } end

-- Those that are due, the earliest first, and the set where each stands. One more than wanted of each kind tells whether there
-- are more.
local due = {}
local function collect(set, top)
  local members = redis.call('ZRANGEBYSCORE', P .. set .. claim.channel, '-inf', top, 'WITHSCORES', 'LIMIT', 0, claim.limit + 1)
  for index = 1, #members, 2 do
    local member = members[index]
    due[#due + 1] = {
      id = string.sub(member, 1, ID_LENGTH), openid = string.sub(member, ID_LENGTH + 1), due = tonumber(members[index + 1]),
      set = set,
    }
  end
end
local function earlier(one, other)
  if one.due ~= other.due then return one.due < other.due end
  return one.id < other.id
end
collect('f:', digits(now))
collect('n:', '+inf')
collect('q:', digits(now))
if #due == 0 then mend(claim.channel) end
table.sort(due, earlier)

-- What becomes of each. Where one ends, the next one of its receiver takes its turn.
local leaving, going = {}, {}
local place = 0
while place < claim.limit and due[place + 1] do
  place = place + 1
  local message = due[place]
  if going[message.openid] then
    -- His lane was lost and has begun anew, so that two of his were first.
    message.plan = { state = 'left' }
  else
    inspect(message, claim, now)
  end
  if message.plan.state == 'sending' then
    going[message.openid] = true
  elseif message.plan.state ~= 'left' then
    leaving[message.id] = true
    local first, lost = first_of(message.openid, leaving)
    message.next_first, message.lost = first, lost
    if first and first.waits and first.channel == claim.channel then
      first.due = number_of(first.due, 'due')
      first.set = first.timed and 'q:' or 'n:'
      if not first.timed or first.due <= now then
        local index = place + 1
        while due[index] and earlier(due[index], first) do index = index + 1 end
        table.insert(due, index, first)
      end
    end
  end
end
local more = due[place + 1] and '1' or '0'
touch_queue(claim.channel)
redis.call('ZCARD', P .. 'd')

local leases, left = {}, { ['f:'] = {}, ['q:'] = {}, ['n:'] = {} }

local function go(message)
  local id, openid, row, plan = message.id, message.openid, message.row, message.plan
  local former = id .. '.' .. row.epoch
  if plan.sending then row.unended = (row.unended or ' ') .. row.epoch .. ' ' end
  row.epoch = digits(number_of(row.epoch, 'epoch') + 1)
  row.grant, row.seen, row.tries, row.unsure = plan.grant, plan.seen, digits(plan.tries), digits(plan.unsure)
  local lease = now + tonumber(row.timeout) + claim.margin
  local key = P .. 'm:' .. id
  redis.call('HSET', key, 'state', 'sending', 'epoch', row.epoch, 'lease', digits(lease), 'grant', row.grant, 'seen', row.seen,
    'tries', row.tries, 'unsure', row.unsure, 'begun', digits(now))
  if row.unended then redis.call('HSET', key, 'unended', row.unended) end
  redis.call('HDEL', key, 'due', 'timed', 'done')
  redis.call('SET', P .. 's:' .. id, claim.owner, 'PX', digits(lease - now + DAY))
  redis.call('ZADD', P .. 'w:' .. openid, 0, id)
  if message.set ~= 'f:' then table.insert(left[message.set], id .. openid) end
  leases[#leases + 1] = digits(lease)
  leases[#leases + 1] = id .. openid
  local name = id .. '.' .. row.epoch
  if plan.grant == 'reserved' then
    if plan.entry then
      take_grant(plan.wanted, name, plan.entry, lease)
    else
      redis.call('HDEL', P .. 'r:' .. openid, former)
      reserve(openid, name, plan.reserved.template, lease)
    end
  end
  return lease
end

local function close(message)
  local id, openid, row, plan = message.id, message.openid, message.row, message.plan
  leave(id, openid, claim.channel, message.next_first, message.lost)
  if not plan.state then return end
  local fields = { 'state', plan.state, 'last', plan.state == 'refused' and '0' or '1', 'finished', digits(now) }
  local function add(field, value)
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  if plan.state == 'refused' then
    add('errcode', '43101')
    redis.call('HDEL', P .. 'm:' .. id, 'errmsg', 'wechat', 'msgid', 'rid')
  end
  if plan.state == 'unknown' and plan.sending then
    add('lapsed', '1')
    if plan.reserved then reserve(openid, id .. '.' .. row.epoch, plan.reserved.template, 0) end
  end
  redis.call('HSET', P .. 'm:' .. id, unpack(fields))
  redis.call('DEL', P .. 's:' .. id)
  end_waiting(id)
  if row.openid then list_row(id, row.openid, claim.retention) end
  keep_row(id, row.key, claim.retention)
end

local jobs, ended, notes, longest = {}, {}, {}, 60000
for index = 1, place do
  local message = due[index]
  local state = message.plan.state
  if state == 'sending' then
    longest = math.max(longest, go(message) - now)
    jobs[#jobs + 1] = job(message.id, message.row, message.plan.body, now)
    notes[#notes + 1] = ' ' .. message.id .. ' ' .. message.row.epoch .. ' ' .. state
  elseif state ~= 'left' then
    close(message)
    if state then
      ended[#ended + 1] = { message.id, state }
      notes[#notes + 1] = ' ' .. message.id .. ' 0 ' .. state
    end
  end
end
for set, members in pairs(left) do
  if #members > 0 then redis.call('ZREM', P .. set .. claim.channel, unpack(members)) end
end
if #leases > 0 then redis.call('ZADD', P .. 'f:' .. claim.channel, unpack(leases)) end
if #notes > 0 then redis.call('SET', memory, more .. table.concat(notes), 'PX', digits(longest)) end
return { 'claimed', more, jobs, ended }
