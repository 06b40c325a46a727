-- A server that evicts keys may take any of the outbox's sets. Where a queue holds messages of which none stands anywhere, some
-- of them are put where they belong.
local function mend(channel)
  for _, set in ipairs({ 'f:', 'q:', 'n:' }) do
    if redis.call('ZCARD', P .. set .. channel) > 0 then return end
  end
  local rows = {}
  for _, id in ipairs(redis.call('ZRANGE', P .. 'o:' .. channel, 0, 31)) do
    local row = read_waiting(id) or {}
    row.id = id
    redis.call('ZCARD', P .. 'w:' .. (row.to or ''))
    rows[#rows + 1] = row
  end
  for _, row in ipairs(rows) do
    if row.to and row.first then
      redis.call('ZADD', P .. 'w:' .. row.to, 'NX', row.state == 'sending' and 0 or row.first, row.id)
    else
      redis.call('ZREM', P .. 'o:' .. channel, row.id)
    end
  end
  for _, row in ipairs(rows) do
    if row.to and row.state == 'sending' then
      redis.call('ZADD', P .. 'f:' .. channel, row.lease, row.id .. row.to)
    elseif row.to then
      local first, lost = first_of(row.to, {})
      forget_lost(row.to, lost)
      put_first(first)
    end
  end
end
