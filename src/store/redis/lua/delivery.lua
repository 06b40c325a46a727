-- One delivery row.
local flat = read_row(ARGV[2])
if flat then return shown(ARGV[2], flat, now_ms()) end
