-- What the ledger gives a message, rule 3 of `Store::begin`: the grant and the row of the ledger, or nothing and whether that
-- is certain.
local function ask_ledger(wanted)
  if not wanted.counts then return 'uncounted' end
  local entry = ledger_row(wanted.openid, wanted.template)
  touch_ledger(wanted.openid, wanted.template)
  local reported = redis.call('SISMEMBER', P .. 't', wanted.template) == 1
  if entry.refused == '1' and reported and wanted.policy ~= 'off' then return nil, '1' end
  if entry.long_term == '1' and entry.state == 'a' then return 'long_term', entry end
  if available(entry) > 0 then return 'reserved', entry end
  if wanted.policy == 'strict' then return nil, '0' end
  return reported and 'on_credit' or 'uncounted', entry
end

local function take_grant(wanted, name, entry, lease)
  entry.reserved = entry.reserved + 1
  write_ledger(wanted.openid, wanted.template, entry)
  reserve(wanted.openid, name, wanted.template, lease)
end
