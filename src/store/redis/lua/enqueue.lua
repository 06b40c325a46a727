-- Puts a message into the outbox: `Store::enqueue`.

local parcel = {
  body = ARGV[17], delay = tonumber(ARGV[18]), expires = tonumber(ARGV[19]), timeout = ARGV[20], resend = ARGV[21],
  version = ARGV[22], settings = ARGV[23],
}

local now = now_ms()
local id, flat, row = find_row()
if row then
  -- The same call again, because its answer was lost.
  if row.queued and row.opener == message.id then return { 'queued', id } end
  if row.state == 'sending' and not row.first
    and (is_over(row, now) or message.abandoned == id .. '.' .. row.epoch) then
    lapse(id, row, message.openid)
    return { 'known', shown(id, read_row(id), now) }
  end
  if row.state == 'queued' or row.state == 'sending' or row.last == '1' then return { 'known', shown(id, flat, now) } end
end
local epoch = row and number_of(row.epoch, 'epoch') + 1 or 1
local due = now + parcel.delay
local timed = parcel.delay > 0
touch_row(id, row)
touch_queue(message.channel)
touch_waiting(id, message.openid)
local first, lost = first_of(message.openid, {})
local sender = redis.call('HMGET', P .. 'sender', 'version', 'settings')

local fields = {
  'state', 'queued', 'queued', '1', 'to', message.openid, 'first', digits(due), 'due', digits(due),
  'ends', digits(due + parcel.expires), 'timeout', parcel.timeout, 'resend', parcel.resend, 'tries', '0', 'unsure', '0',
  'policy', message.policy,
}
if timed then
  fields[#fields + 1] = 'timed'
  fields[#fields + 1] = '1'
end
write_version(unversioned)
open_row(id, row, digits(epoch), now, fields, parcel.delay + parcel.expires)
redis.call('SET', P .. 'b:' .. id, parcel.body)
redis.call('ZADD', P .. 'o:' .. message.channel, digits(due), id)
forget_lost(message.openid, lost)
local lane = P .. 'w:' .. message.openid
redis.call('ZADD', lane, digits(due), id)
if redis.call('ZRANGE', lane, 0, 0)[1] == id then
  if first then redis.call('ZREM', waiting_in(first.channel, first.timed), first.id .. first.openid) end
  put_first({ id = id, openid = message.openid, waits = true, channel = message.channel, due = digits(due), timed = timed })
end
if sender[1] ~= parcel.version or sender[2] ~= parcel.settings then
  redis.call('HSET', P .. 'sender', 'version', parcel.version, 'settings', parcel.settings)
end
return { 'queued', id }
