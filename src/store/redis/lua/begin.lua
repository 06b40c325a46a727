-- Opens a message: the rules of `Store::begin`, in its order.

local now = now_ms()
local id, flat, row = find_row()
local name

-- 1. The row that is there.
if row and row.state == 'queued' then
  if state_of(row, now) == 'queued' then return { 'under_way', '', shown(id, flat, now) } end
  return { 'known', shown(id, flat, now) }
end
if row and row.state == 'sending' then
  name = id .. '.' .. row.epoch
  local over = is_over(row, now)
  if row.opener == message.id and row.key == message.key and not over and not row.queued then
    return { 'go', id, row.epoch, row.grant, row.seen }
  end
  if not over and message.abandoned ~= name then
    return { 'under_way', redis.call('GET', P .. 's:' .. id) or '', shown(id, flat, now) }
  end
  lapse(id, row, message.openid)
  return { 'known', shown(id, read_row(id), now) }
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
local errcode, ends = pause_of(message.api, now)
if errcode then return refused(errcode, { 'paused', id, errcode, ends }) end

-- 3. The ledger.
local grant, entry = ask_ledger(message)
if not grant then return refused('43101', { 'no_grant', id, entry }) end

-- 4. Go.
local seen = digits(entry and entry.reported or 0)
local lease = now + message.lease
write_version(unversioned)
open_row(id, row, epoch, now, { 'state', 'sending', 'lease', digits(lease), 'grant', grant, 'seen', seen })
redis.call('SET', P .. 's:' .. id, message.owner, 'PX', message.retention)
if grant == 'reserved' then take_grant(message, name, entry, lease) end
return { 'go', id, digits(epoch), grant, seen }
