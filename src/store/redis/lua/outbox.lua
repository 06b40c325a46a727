-- The outbox. A message in it has its row, which holds the fields below, its body in `b:ID`, and its id in `o:CHANNEL`, the
-- queue. `w:OPENID` is the lane of a receiver: his messages by the time at which they were first due. Only the first of a lane
-- can be claimed; once it was, it stays first (score 0), whatever is queued meanwhile.
--
-- The firsts stand in three sets of a queue: `f:CHANNEL` those under way, by the end of the lease; `q:CHANNEL` those that
-- wait until the clock says that they are due; `n:CHANNEL` those that are due whatever the clock says, which may have been set
-- back. Their members are id and openid, so that a row that is lost can be taken out of its lane.

local CHANNELS = { 'subscribe', 'bizsend', 'template' }
local ID_LENGTH = 36

local function waiting_in(channel, timed)
  return P .. (timed and 'q:' or 'n:') .. channel
end

-- The message that is first in a lane, apart from those that leave (a set of ids), and the ids before it whose rows are lost.
local function first_of(openid, leaving)
  local lost = {}
  for place = 0, 99 do
    local id = redis.call('ZRANGE', P .. 'w:' .. openid, place, place)[1]
    if not id then break end
    if not leaving[id] then
      local row = redis.pcall('HMGET', P .. 'm:' .. id, 'state', 'channel', 'due', 'timed', 'first')
      if row.err and not string.find(row.err, 'WRONGTYPE', 1, true) then error(row.err) end
      if row[5] then
        local first = { id = id, openid = openid, waits = row[1] == 'queued', channel = row[2], due = row[3], timed = row[4] }
        if first.waits then
          redis.call('ZCARD', waiting_in(first.channel, first.timed))
        end
        return first, lost
      end
      lost[#lost + 1] = id
    end
  end
  return nil, lost
end

-- What is written to when a message comes, goes or moves: the sets of its queue, and those of its own.
local function touch_queue(channel)
  for _, set in ipairs({ 'o:', 'f:', 'q:', 'n:' }) do redis.call('ZCARD', P .. set .. channel) end
end

local function touch_waiting(id, openid)
  redis.call('ZCARD', P .. 'w:' .. openid)
  redis.call('EXISTS', P .. 'b:' .. id)
end

-- The first of a lane that waits, where claims find it.
local function put_first(first)
  if first and first.waits then
    redis.call('ZADD', waiting_in(first.channel, first.timed), first.due, first.id .. first.openid)
  end
end

local function forget_lost(openid, lost)
  if #lost == 0 then return end
  redis.call('ZREM', P .. 'w:' .. openid, unpack(lost))
  for _, channel in ipairs(CHANNELS) do redis.call('ZREM', P .. 'o:' .. channel, unpack(lost)) end
end

-- Takes a message out of the outbox; `next_first` and `lost` are from `first_of`.
local function leave(id, openid, channel, next_first, lost)
  for _, set in ipairs({ 'f:', 'q:', 'n:' }) do redis.call('ZREM', P .. set .. channel, id .. openid) end
  redis.call('ZREM', P .. 'o:' .. channel, id)
  redis.call('ZREM', P .. 'w:' .. openid, id)
  redis.call('DEL', P .. 'b:' .. id)
  forget_lost(openid, lost)
  put_first(next_first)
end

-- The fields of a row that only one in the outbox has.
local function end_waiting(id)
  redis.call('HDEL', P .. 'm:' .. id, 'to', 'first', 'due', 'timed', 'ends', 'timeout', 'resend', 'tries', 'unsure', 'policy')
end
