-- The ledger. `l:OPENID` maps template ids to rows, `r:OPENID` maps ID.EPOCH of a message to what it reserved, `e:TEMPLATE`
-- holds the users whom it can reach, `t` the templates of which an accept was ever reported.

local ROW = '^(%d+) (%d+) (%d+) (%d+) (%d+) ([arbf-]) ([01]) ([01])$'

local function ledger_row(openid, template)
  local text = redis.call('HGET', P .. 'l:' .. openid, template)
  if not text then
    return { accepted = 0, delivered = 0, reserved = 0, lost = 0, reported = 0, state = '-', long_term = '0', refused = '0' }
  end
  local accepted, delivered, reserved, lost, reported, state, long_term, refused = string.match(text, ROW)
  if not accepted then corrupt('ledger row') end
  return {
    accepted = tonumber(accepted), delivered = tonumber(delivered), reserved = tonumber(reserved), lost = tonumber(lost),
    reported = tonumber(reported), state = state, long_term = long_term, refused = refused,
  }
end

local function available(row)
  return math.max(0, row.accepted - row.delivered - row.reserved - row.lost)
end

local function ledger_text(row)
  return table.concat({
    digits(row.accepted), digits(row.delivered), digits(row.reserved), digits(row.lost), digits(row.reported), row.state,
    row.long_term, row.refused,
  }, ' ')
end

-- Reads what a later `write_ledger` will write to, so that a key of a wrong type is met before anything is written.
local function touch_ledger(openid, template)
  redis.call('ZSCORE', P .. 'e:' .. template, openid)
  redis.call('SISMEMBER', P .. 't', template)
  redis.call('HLEN', P .. 'r:' .. openid)
end

-- Whether a message would not be in vain as far as anybody knows.
local function reachable(row)
  return available(row) > 0 or (row.long_term == '1' and row.state == 'a' and row.refused == '0')
end

local function write_ledger(openid, template, row)
  redis.call('HSET', P .. 'l:' .. openid, template, ledger_text(row))
  if reachable(row) then
    redis.call('ZADD', P .. 'e:' .. template, 0, openid)
  else
    redis.call('ZREM', P .. 'e:' .. template, openid)
  end
end

-- What a message reserved: 'UNTIL TEMPLATE', where 0 says that nobody will close it any more.
local function reservation(openid, name)
  local text = redis.call('HGET', P .. 'r:' .. openid, name)
  if not text then return end
  local lease, template = string.match(text, '^(%d+) (.*)$')
  if not lease then corrupt('reservation') end
  return { lease = tonumber(lease), template = template }
end

local function reserve(openid, name, template, lease)
  redis.call('HSET', P .. 'r:' .. openid, name, digits(lease) .. ' ' .. template)
end

-- Names of the reservations of a template, apart from `own`, that a 43101 takes, and how many it leaves.
local function forfeited(openid, template, own, now)
  local names, left = {}, 0
  local all = redis.call('HGETALL', P .. 'r:' .. openid)
  for index = 1, #all, 2 do
    local lease, of = string.match(all[index + 1], '^(%d+) (.*)$')
    if not lease then corrupt('reservation') end
    if of == template and all[index] ~= own then
      if tonumber(lease) <= now then names[#names + 1] = all[index] else left = left + 1 end
    end
  end
  return names, left
end
