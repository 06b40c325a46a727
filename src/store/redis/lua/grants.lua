-- The ledger of one user: template ids and rows in turn.
local openid, template = ARGV[2], optional(ARGV[3])
if not template then return redis.call('HGETALL', P .. 'l:' .. openid) end
local row = redis.call('HGET', P .. 'l:' .. openid, template)
if row then return { template, row } end
return {}
