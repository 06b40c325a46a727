-- Closes a message: the table at `Store::finish`.

local ending = {
  epoch = ARGV[17], state = ARGV[18], last = ARGV[19], settlement = ARGV[20], seen = tonumber(ARGV[21]), grant = ARGV[22],
  errcode = optional(ARGV[23]), errmsg = ARGV[24], msgid = optional(ARGV[25]), rid = optional(ARGV[26]),
  attempts = tonumber(ARGV[27]), api = ARGV[28], day = ARGV[29], pause = optional(ARGV[30]),
  from_wechat = ARGV[31] == '1', again = tonumber(ARGV[32]),
}

local now = now_ms()
local id, _, row = find_row()
local calls = P .. 'c:' .. ending.day
redis.call('HGET', calls, ending.api)
redis.call('HGET', P .. 'p', ending.api)

-- The row is this message's if it made it or opened it last; another message's after the store lost its data.
local own = row and (id == message.id or row.opener == message.id)
local mark = 'n' .. ending.epoch .. '.' .. message.id
local unended = row and row.unended and string.find(row.unended, ' ' .. ending.epoch .. ' ', 1, true)
-- Of the attempts before a later claim all have ended and are counted, but for those that are named.
local former = row and id == message.id and tonumber(ending.epoch) < number_of(row.epoch, 'epoch')
local repeated = row and ((own and row.done == ending.epoch) or row[mark] or (former and not unended))
local closes = not row or (own and row.epoch == ending.epoch and (row.state == 'sending' or row.lapsed))
local stays = closes and row and row.first and ending.again
-- It has left the outbox, so there is nothing that would try it again.
if ending.again and not stays then ending.state, ending.last = 'not_sent', '0' end

local entry, taken, left, next_first, lost
local name = id .. '.' .. ending.epoch
if closes then
  if row then redis.call('EXISTS', P .. 's:' .. id) else touch_row(id) end
  if row and row.first then
    touch_queue(row.channel)
    touch_waiting(id, row.to)
    if not stays then
      touch_row(id, row)
      next_first, lost = first_of(row.to, { [id] = true })
    end
  end
  if ending.grant ~= 'uncounted' then
    entry = ledger_row(message.openid, message.template)
    touch_ledger(message.openid, message.template)
    if ending.settlement == 'zero' then
      taken, left = forfeited(message.openid, message.template, name, now)
    end
  end
end
local reserved = entry and reservation(message.openid, name)

write_version(unversioned)
if not repeated and ending.attempts > 0 then
  redis.call('HINCRBY', calls, ending.api, ending.attempts)
  redis.call('PEXPIRE', calls, 8 * DAY)
end
if not closes then
  if repeated then return end
  if unended then
    redis.call('HSET', P .. 'm:' .. id, 'unended', (string.gsub(row.unended, ' ' .. ending.epoch .. ' ', ' ')))
  else
    redis.call('HSET', P .. 'm:' .. id, mark, '1')
  end
  return
end

-- The verdict.
local attempts = ending.attempts + (row and tonumber(row.attempts) or 0)
local fields = {
  'state', ending.state, 'last', ending.last, 'errmsg', ending.errmsg, 'attempts', digits(attempts), 'finished', digits(now),
  'done', ending.epoch,
}
local function add(field, value)
  if value then
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
end
add('errcode', ending.errcode)
add('wechat', ending.from_wechat and '1')
add('msgid', ending.msgid)
add('rid', ending.rid)
-- Those of the attempt before.
if row and row.queued then redis.call('HDEL', P .. 'm:' .. id, 'errcode', 'wechat', 'msgid', 'rid') end
if stays then
  local due = digits(now + ending.again)
  local timed = ending.again > 0 and '1'
  fields[2], fields[4] = 'queued', '0'
  add('due', due)
  add('timed', timed)
  add('tries', digits(number_of(row.tries, 'tries') + 1))
  add('unsure', ending.settlement == 'kept' and digits(number_of(row.unsure, 'unsure') + 1))
  redis.call('HSET', P .. 'm:' .. id, unpack(fields))
  redis.call('HDEL', P .. 'm:' .. id, 'lease', 'grant')
  redis.call('DEL', P .. 's:' .. id)
  redis.call('ZREM', P .. 'f:' .. row.channel, id .. row.to)
  put_first({ id = id, openid = row.to, waits = true, channel = row.channel, due = due, timed = timed })
elseif row then
  redis.call('HSET', P .. 'm:' .. id, unpack(fields))
  redis.call('HDEL', P .. 'm:' .. id, 'lease', 'grant', 'seen', 'lapsed')
  redis.call('DEL', P .. 's:' .. id)
  if row.first then
    leave(id, row.to, row.channel, next_first, lost)
    end_waiting(id)
    list_row(id, row.openid, message.retention)
  end
  keep_row(id, row.key, message.retention)
else
  -- The store has lost the row since it was opened; the record shall not be lost as well.
  open_row(id, nil, ending.epoch, now, fields)
end
if ending.pause then redis.call('HSET', P .. 'p', ending.api, ending.pause) end

-- The ledger.
if not entry then return end
if reserved and ending.settlement ~= 'kept' then
  redis.call('HDEL', P .. 'r:' .. message.openid, name)
  entry.reserved = math.max(0, entry.reserved - 1)
end
if ending.settlement == 'spent' then
  -- Without a reservation (on credit, or a 43101 to another message took it) the delivery proves a grant.
  if not reserved then entry.accepted = entry.accepted + 1 end
  entry.delivered = entry.delivered + 1
  entry.refused = '0'
elseif ending.settlement == 'kept' then
  if reserved then reserve(message.openid, name, reserved.template, 0) end
elseif ending.settlement == 'zero' then
  if reserved then entry.lost = entry.lost + 1 end
  for _, other in ipairs(taken) do redis.call('HDEL', P .. 'r:' .. message.openid, other) end
  -- Counted by what is left: reservations that the server evicted are gone as well.
  entry.lost = entry.lost + math.max(0, entry.reserved - left)
  entry.reserved = math.min(entry.reserved, left)
  -- Fewer reports than were seen: the ledger is a new one, and all its accepts came later.
  local later = entry.reported
  if later >= ending.seen then later = later - ending.seen end
  entry.lost = entry.lost + math.max(0, available(entry) - later)
  if later == 0 then entry.refused = '1' end
end
if reserved or ending.settlement == 'spent' or ending.settlement == 'zero' then
  write_ledger(message.openid, message.template, entry)
end
