-- Adds what a user answered. ARGV: openid, long term, the call's own name, report key's token, how long it is remembered,
-- then template and answer in turn.

local openid, long_term, call, token, remember = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local known = redis.call('GET', P .. 'g:' .. token)
local rows = {}
for index = 7, #ARGV, 2 do
  rows[#rows + 1] = { template = ARGV[index], choice = ARGV[index + 1], entry = ledger_row(openid, ARGV[index]) }
  touch_ledger(openid, ARGV[index])
end

if not known then
  write_version(unversioned)
  redis.call('SET', P .. 'g:' .. token, call, 'PX', remember)
  for _, row in ipairs(rows) do
    local entry = row.entry
    entry.state = row.choice
    if row.choice == 'a' then
      if long_term == '1' then entry.long_term = '1' else entry.accepted = entry.accepted + 1 end
      entry.reported = entry.reported + 1
      entry.refused = '0'
      redis.call('SADD', P .. 't', row.template)
    end
    write_ledger(openid, row.template, entry)
  end
end

-- The same call again, because its answer was lost, is no duplicate.
local result = { (known and known ~= call) and '1' or '0' }
for _, row in ipairs(rows) do result[#result + 1] = ledger_text(row.entry) end
return result
