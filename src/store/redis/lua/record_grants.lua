-- Adds what a user answered: the rules of `Store::record_grants`. ARGV: openid, long term, the call's own name, report key's
-- token, how long it is remembered, who tells, whether of the settings, when the answer was given, how long and how many accepts
-- without a counterpart are remembered, then template and answer in turn.

local openid, long_term, call, token, remember = ARGV[2], ARGV[3] == '1', ARGV[4], ARGV[5], ARGV[6]
local side, of_settings, at, window, limit = ARGV[7], ARGV[8] == '1', optional(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local now = now_ms()
at = math.min(at and tonumber(at) or now, now)
local known = redis.call('GET', P .. 'g:' .. token)
local rows = {}
for index = 12, #ARGV, 2 do
  local template = ARGV[index]
  rows[#rows + 1] = {
    template = template, choice = ARGV[index + 1], entry = ledger_row(openid, template),
    recent = recent_answers(openid, template, now, window),
  }
  touch_ledger(openid, template)
end

local function apply(row)
  local entry, accepts = row.entry, row.choice == 'a'
  local latest = note_answer(row.recent, at, now)
  if latest then entry.state = row.choice end
  if accepts then
    if long_term then entry.long_term = '1' end
    -- Whether it is an accept of which the ledger does not know yet.
    local news = long_term or not note_accept(row.recent, side, now, limit)
    if news then
      if not long_term then entry.accepted = entry.accepted + 1 end
      entry.reported = entry.reported + 1
      redis.call('SADD', P .. 't', row.template)
    end
    if latest or (news and entry.state == 'a') then entry.refused = '0' end
  elseif of_settings and latest then
    entry.refused = '1'
  end
  write_ledger(openid, row.template, entry)
  redis.call('HSET', P .. 'i:' .. openid, row.template, recent_text(row.recent, now))
end

if not known then
  write_version(unversioned)
  redis.call('SET', P .. 'g:' .. token, call, 'PX', remember)
  for _, row in ipairs(rows) do apply(row) end
  -- Nothing of it counts for longer, and an active user's is overwritten.
  if #rows > 0 then redis.call('PEXPIRE', P .. 'i:' .. openid, window) end
end

-- The same call again, because its answer was lost, is no duplicate.
local result = { (known and known ~= call) and '1' or '0' }
for _, row in ipairs(rows) do result[#result + 1] = ledger_text(row.entry) end
return result
