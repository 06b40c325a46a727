-- Where rows are listed, and how long they are kept.

-- Days whose ids have expired; looked for when a new day begins.
local function forget_days()
  for _, day in ipairs(redis.call('ZRANGE', P .. 'd', 0, 99)) do
    if redis.call('EXISTS', P .. 'a:' .. day) == 0 then redis.call('ZREM', P .. 'd', day) end
  end
end

-- Lists a row that is kept so long at the most.
local function list_row(id, shown_openid, kept)
  local day = day_of(id)
  local of_day, of_user = P .. 'a:' .. day, P .. 'u:' .. day .. ':' .. shown_openid
  redis.call('ZADD', of_day, 0, id)
  redis.call('ZADD', of_user, 0, id)
  -- Longer than any of its rows, so that not every write has to move it.
  if redis.call('PTTL', of_day) < kept + DAY / 2 then redis.call('PEXPIRE', of_day, digits(kept + DAY)) end
  if redis.call('PTTL', of_user) < kept + DAY / 2 then redis.call('PEXPIRE', of_user, digits(kept + DAY)) end
  if redis.call('ZADD', P .. 'd', day, day) == 1 then forget_days() end
end

local function keep_row(id, key, retention)
  redis.call('PEXPIRE', P .. 'm:' .. id, retention)
  if key then redis.call('SET', P .. 'k:' .. key, id, 'PX', retention) end
end

-- In the outbox nothing of it expires.
local function hold_row(id, key)
  redis.call('PERSIST', P .. 'm:' .. id)
  if key then redis.call('SET', P .. 'k:' .. key, id) end
end
