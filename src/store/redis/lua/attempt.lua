-- What a claim finds out about a message, before anything is written.

local POLICIES = { off = true, certain = true, strict = true }

-- The row of a message in the outbox, its numbers read; nothing if it is lost, or none of the outbox any more.
local function read_waiting(id)
  local found = redis.pcall('HGETALL', P .. 'm:' .. id)
  if found.err then
    if string.find(found.err, 'WRONGTYPE', 1, true) then return end
    error(found.err)
  end
  local row = fields_of(found)
  if row.state ~= 'queued' and row.state ~= 'sending' then return end
  return row
end

-- Whether the message goes, or how it ends.
local function examine(id, openid, row, claim, now)
  if row.to ~= openid or row.channel ~= claim.channel or not POLICIES[row.policy] then corrupt('message') end
  if not row.template or not row.openid then corrupt('message') end
  for _, name in ipairs({ 'epoch', 'timeout', 'ends', 'tries', 'unsure' }) do
    if not string.find(row[name] or '', '^%d+$') then corrupt(name) end
  end
  local plan = { tries = tonumber(row.tries), unsure = tonumber(row.unsure), sending = row.state == 'sending' }
  plan.reserved = reservation(openid, id .. '.' .. row.epoch)
  if plan.sending then plan.tries, plan.unsure = plan.tries + 1, plan.unsure + 1 end
  if tonumber(row.ends) <= now then
    plan.state = plan.unsure > 0 and 'unknown' or 'expired'
    return plan
  end
  if plan.sending and (row.resend ~= '1' or plan.unsure >= claim.unsure_limit) then
    plan.state = 'unknown'
    return plan
  end
  plan.body = redis.call('GET', P .. 'b:' .. id) or corrupt('body')
  local wanted = { openid = openid, template = row.template, policy = row.policy, counts = claim.counts }
  if plan.unsure == 0 then
    plan.grant, plan.entry = ask_ledger(wanted)
    plan.state = plan.grant and 'sending' or 'refused'
    plan.seen = digits(plan.grant and plan.entry and plan.entry.reported or 0)
  else
    local counted = claim.counts and redis.call('SISMEMBER', P .. 't', row.template) == 1
    plan.grant = not counted and 'uncounted' or plan.reserved and 'reserved' or 'on_credit'
    plan.state, plan.seen = 'sending', row.seen or '0'
  end
  plan.wanted = wanted
  return plan
end

-- A message as its claimer gets it.
local function job(id, row, body, now)
  return {
    id, row.epoch, row.grant, row.seen, row.to, row.openid, row.template, row.key and '=' .. row.key or '', row.policy, body,
    row.timeout, row.tries, row.unsure, row.resend, digits(math.max(0, tonumber(row.ends) - now)),
  }
end

-- Finds out what becomes of a message, and reads what will be written. One that cannot be read is set aside.
local function inspect(message, claim, now)
  local id, openid = message.id, message.openid
  local row = read_waiting(id)
  local plan = {}
  if row then
    local readable, answer = pcall(examine, id, openid, row, claim, now)
    if readable then
      plan = answer
    else
      local words = type(answer) == 'table' and answer.err or tostring(answer)
      if not string.find(words, 'RTCORRUPT', 1, true) and not string.find(words, 'WRONGTYPE', 1, true) then error(answer) end
      plan.state = 'not_sent'
    end
  end
  message.row, message.plan = row, plan
  touch_waiting(id, openid)
  redis.call('EXISTS', P .. 's:' .. id)
  if row and plan.state ~= 'sending' then
    if row.key then redis.call('EXISTS', P .. 'k:' .. row.key) end
    if row.openid then
      redis.call('ZCARD', P .. 'a:' .. day_of(id))
      redis.call('ZCARD', P .. 'u:' .. day_of(id) .. ':' .. row.openid)
    end
  end
end
