-- The lease of a sending is over without an end: nobody knows what became of the message, and that is the last word, unless
-- its sender still brings a verdict. `openid` is whose ledger it took from.
local function lapse(id, row, openid)
  local name = id .. '.' .. row.epoch
  openid = row.to or openid
  local reserved = reservation(openid, name)
  redis.call('EXISTS', P .. 's:' .. id)
  local next_first, lost
  if row.first then
    touch_queue(row.channel)
    touch_waiting(id, openid)
    next_first, lost = first_of(openid, { [id] = true })
  end
  write_version(unversioned)
  redis.call('HSET', P .. 'm:' .. id, 'state', 'unknown', 'last', '1', 'lapsed', '1')
  redis.call('DEL', P .. 's:' .. id)
  if reserved then reserve(openid, name, reserved.template, 0) end
  if row.first then
    leave(id, openid, row.channel, next_first, lost)
    end_waiting(id)
    list_row(id, row.openid, message.retention)
    keep_row(id, row.key, message.retention)
  end
end
