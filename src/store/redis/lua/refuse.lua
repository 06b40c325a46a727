-- Leaves the row of a message that was refused before it was opened; answers the id of the row that there is now.

local now = now_ms()
local id, _, row = find_row()
if row then
  if row.state == 'sending' or row.state == 'queued' or row.last == '1' then return { id } end
  -- The same call again.
  if row.opener == message.id and row.refused == '1' then return { id } end
end
local epoch = row and number_of(row.epoch, 'epoch') + 1 or 1
touch_row(id, row)
write_version(unversioned)
open_row(id, row, epoch, now,
  { 'state', 'refused', 'refused', '1', 'errcode', ARGV[17], 'errmsg', ARGV[18], 'finished', digits(now) })
return { id }
