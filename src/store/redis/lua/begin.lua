-- Opens a message: the rules of `Store::begin`, in its order.

local now = now_ms()
local id, flat, row = find_row()
local name

-- 1. The row that is there.
if row and row.state == 'sending' then
  name = id .. '.' .. row.epoch
  local over = is_over(row, now)
  if row.opener == message.id and row.key == message.key and not over then
    return { 'go', id, row.epoch, row.grant, row.seen }
  end
  if not over and message.abandoned ~= name then
    return { 'under_way', redis.call('GET', P .. 's:' .. id) or '', shown(id, flat, now) }
  end
  local reserved = reservation(message.openid, name)
  redis.call('EXISTS', P .. 's:' .. id)
  write_version(unversioned)
  redis.call('HSET', P .. 'm:' .. id, 'state', 'unknown', 'last', '1')
  redis.call('DEL', P .. 's:' .. id)
  if reserved then reserve(message.openid, name, reserved.template, 0) end
  flat = read_row(id)
  return { 'known', shown(id, flat, now) }
end
if row and row.last == '1' then return { 'known', shown(id, flat, now) } end
local epoch = row and number_of(row.epoch, 'epoch') + 1 or 1
name = id .. '.' .. epoch
touch_row(id, row)

local function refused(errcode, answer)
  write_version(unversioned)
  open_row(id, row, epoch, now, { 'state', 'refused', 'errcode', errcode, 'finished', digits(now) })
  return answer
end

-- 2. The pause of its API.
local pause = redis.call('HGET', P .. 'p', message.api)
if pause then
  local errcode, ends = string.match(pause, '^(-?%d+) (-?%d+)$')
  if not errcode then corrupt('pause') end
  if tonumber(ends) > now then return refused(errcode, { 'paused', id, errcode, ends }) end
end

-- 3. The ledger.
local grant, entry = 'uncounted', nil
if message.counts then
  entry = ledger_row(message.openid, message.template)
  touch_ledger(message.openid, message.template)
  local reported = redis.call('SISMEMBER', P .. 't', message.template) == 1
  if entry.refused == '1' and reported and message.policy ~= 'off' then
    return refused('43101', { 'no_grant', id, '1' })
  elseif entry.long_term == '1' and entry.state == 'a' then
    grant = 'long_term'
  elseif available(entry) > 0 then
    grant = 'reserved'
  elseif message.policy == 'strict' then
    return refused('43101', { 'no_grant', id, '0' })
  elseif reported then
    grant = 'on_credit'
  end
end

-- 4. Go.
local seen = digits(entry and entry.reported or 0)
local lease = now + message.lease
write_version(unversioned)
open_row(id, row, epoch, now, { 'state', 'sending', 'lease', digits(lease), 'grant', grant, 'seen', seen })
redis.call('SET', P .. 's:' .. id, message.owner, 'PX', message.retention)
if grant == 'reserved' then
  entry.reserved = entry.reserved + 1
  write_ledger(message.openid, message.template, entry)
  reserve(message.openid, name, message.template, lease)
end
return { 'go', id, digits(epoch), grant, seen }
