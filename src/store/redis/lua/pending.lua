-- How many messages are in the outbox.
local count = 0
for _, channel in ipairs({ 'subscribe', 'bizsend', 'template' }) do
  count = count + redis.call('ZCARD', P .. 'o:' .. channel)
end
return count
