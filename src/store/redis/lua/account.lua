-- In front of every script. KEYS[1] is the version key, ARGV[1] the prefix `rt:{account}:` of all keys that it touches:
-- the hash tag keeps them in one slot of a cluster. A Lua error undoes nothing, so a script first reads every key that it
-- will write (and so meets a wrong type, or a key that is already on another node), and only then writes.

local P = ARGV[1]
local SCHEMA = 1

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function corrupt(what)
  error('RTCORRUPT ' .. what)
end

-- A number as Redis must keep it: Lua itself would write large ones with an exponent.
local function digits(number)
  return string.format('%.0f', number)
end

local function number_of(text, what)
  return tonumber(text) or corrupt(what)
end

-- Optional arguments: empty, or '=' and the value.
local function optional(text)
  if text ~= '' then return string.sub(text, 2) end
end

-- Whether the account is still without a version, or the error that ends the script.
local function read_version()
  local version = redis.call('GET', KEYS[1])
  if not version then return true end
  if number_of(version, 'version') > SCHEMA then
    return false, redis.error_reply('RTNEWER schema ' .. version)
  end
  return false
end

local function write_version(missing)
  if missing then redis.call('SET', KEYS[1], SCHEMA) end
end

local unversioned, failure = read_version()
if failure then return failure end
