-- What users answered lately. `i:OPENID` maps template ids to 'ANSWERED TOLD SIDE ACCEPTS…': when the latest answer was given and
-- told, who told of the accepts that have no counterpart yet ('c' the front end, 'p' the push), and when each was told.

-- What is remembered of one template, for so long.
local function recent_answers(openid, template, now, window)
  local text = redis.call('HGET', P .. 'i:' .. openid, template)
  local recent = { accepts = {} }
  if not text then return recent end
  local answered, told, side, accepts = string.match(text, '^(%-?%d+) (%d+) ([cp])([ %d]*)$')
  if not answered then corrupt('recent answer') end
  -- What was told in the future was told before the clock was set back: by that clock no answer is later than another.
  local since = now - tonumber(told)
  if since >= 0 and since < window then recent.answered, recent.told = tonumber(answered), tonumber(told) end
  recent.side = side
  for accept in string.gmatch(accepts, '%d+') do
    if math.abs(now - tonumber(accept)) < window then table.insert(recent.accepts, tonumber(accept)) end
  end
  return recent
end

-- Takes an answer into account; says whether it is the latest. WeChat's clock has whole seconds.
local function note_answer(recent, at, now)
  local latest = not recent.answered or math.floor(at / 1000) >= math.floor(recent.answered / 1000)
  if latest then recent.answered, recent.told = math.max(at, recent.answered or at), now end
  return latest
end

-- Takes an accept into account; says whether the other side has told of it already.
local function note_accept(recent, side, now, limit)
  if recent.side ~= side and #recent.accepts > 0 then
    table.remove(recent.accepts, 1)
    return true
  end
  recent.side = side
  table.insert(recent.accepts, now)
  if #recent.accepts > limit then table.remove(recent.accepts, 1) end
  return false
end

local function recent_text(recent, now)
  local parts = { digits(recent.answered or now), digits(recent.told or now), recent.side or 'c' }
  for _, accept in ipairs(recent.accepts) do parts[#parts + 1] = digits(accept) end
  return table.concat(parts, ' ')
end
