-- Writing rows. Every script that takes a message has the same first arguments.

local message = {
  id = ARGV[2], owner = ARGV[3], lease = tonumber(ARGV[4]), openid = ARGV[5], shown_openid = ARGV[6], template = ARGV[7],
  channel = ARGV[8], key = optional(ARGV[9]), policy = ARGV[10], changed = optional(ARGV[11]), payload = optional(ARGV[12]),
  retention = tonumber(ARGV[13]), abandoned = ARGV[14], counts = ARGV[15] == '1', api = ARGV[16],
}

-- The row that a message has: that of its key, else that of its id.
local function find_row()
  if message.key then
    local id = redis.call('GET', P .. 'k:' .. message.key)
    if id then
      local flat, row = read_row(id)
      if flat then return id, flat, row end
    end
  end
  local flat, row = read_row(message.id)
  return message.id, flat, row
end

-- Reads what `open_row` will write to: see `touch_ledger`.
local function touch_row(id, row)
  local day = day_of(id)
  redis.call('EXISTS', P .. 's:' .. id)
  redis.call('ZSCORE', P .. 'd', day)
  redis.call('ZSCORE', P .. 'a:' .. day, id)
  redis.call('ZSCORE', P .. 'u:' .. day .. ':' .. message.shown_openid, id)
  if row then redis.call('ZSCORE', P .. 'u:' .. day .. ':' .. (row.openid or corrupt('row')), id) end
end

-- Writes the row anew from the message, over the former one (`row`) if there is one; `more` are further fields and values.
-- `waits` is how long it may stay in the outbox, if that is where it goes.
local function open_row(id, row, epoch, now, more, waits)
  local key = P .. 'm:' .. id
  if row then
    redis.call('HDEL', key, 'last', 'errcode', 'errmsg', 'wechat', 'msgid', 'rid', 'receipt', 'changed', 'payload', 'finished', 'grant', 'refused',
      'seen', 'lease', 'done', 'queued', 'lapsed')
    -- The calls of the former sending are counted, should its end be repeated.
    if row.done then
      redis.call('HSET', key, 'n' .. row.done .. '.' .. (not row.queued and row.opener or id), '1')
    end
    if row.openid ~= message.shown_openid then
      redis.call('ZREM', P .. 'u:' .. day_of(id) .. ':' .. row.openid, id)
    end
  end
  local fields = {
    'epoch', epoch, 'opener', message.id, 'openid', message.shown_openid, 'template', message.template,
    'channel', message.channel, 'begun', digits(now),
  }
  for _, name in ipairs({ 'key', 'changed', 'payload' }) do
    if message[name] then
      fields[#fields + 1] = name
      fields[#fields + 1] = message[name]
    end
  end
  for _, part in ipairs(more) do fields[#fields + 1] = part end
  redis.call('HSET', key, unpack(fields))
  list_row(id, message.shown_openid, message.retention + (waits or 0))
  if waits then hold_row(id, message.key) else keep_row(id, message.key, message.retention) end
end
