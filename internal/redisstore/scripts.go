package redisstore

import "github.com/redis/go-redis/v9"

// The scripts change the keys of one tag in one step. Durations are in milliseconds,
// times are those of the server.

// putScript keeps a value by a rule, deletes keys and sends a message.
//
// KEYS: the key, then those to delete. ARGV: rule, how long, age, value, channel,
// message.
//
//nolint:dupword // blocks of Lua end where others do
var putScript = redis.NewScript(`
local rule, ttl, age, value = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
if rule == 'own' then
  if redis.call('GET', KEYS[1]) == value then redis.call('DEL', KEYS[1]) end
elseif ttl > 0 then
  local keep = true
  if rule == 'longest' then
    keep = redis.call('PTTL', KEYS[1]) < ttl
  elseif rule == 'first' then
    keep = redis.call('EXISTS', KEYS[1]) == 0
  elseif rule == 'newest' then
    local t = redis.call('TIME')
    local version = t[1] * 1000 + math.floor(t[2] / 1000) - age
    local old = redis.call('GET', KEYS[1])
    keep = not old or tonumber(string.match(old, '^version (%d+) ') or 0) <= version
    value = string.format('version %.0f ', version) .. value
  end
  if rule == 'newest' and not keep then return 0 end
  if keep then redis.call('SET', KEYS[1], value, 'PX', ttl) end
end
for i = 2, #KEYS do redis.call('DEL', KEYS[i]) end
if ARGV[6] ~= '' then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
return 1
`)

// lookScript returns the time, and of each key the value and how long it is kept.
var lookScript = redis.NewScript(`
local t = redis.call('TIME')
local found = {t[1] * 1000 + math.floor(t[2] / 1000)}
for i = 1, #KEYS do
  found[2 * i] = redis.call('GET', KEYS[i])
  found[2 * i + 1] = redis.call('PTTL', KEYS[i])
end
return found
`)

// leaseScript gives a key to an owner. ARGV: owner, how long.
var leaseScript = redis.NewScript(`
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return redis.call('PTTL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 0
`)

// beatScript says that an instance is there, and forgets those that are not. KEYS:
// the values, the times. ARGV: instance, value or ”, how long.
var beatScript = redis.NewScript(`
local t = redis.call('TIME')
local now, life = t[1] * 1000 + math.floor(t[2] / 1000), tonumber(ARGV[3])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - life)) do
  redis.call('HDEL', KEYS[1], gone)
  redis.call('ZREM', KEYS[2], gone)
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 1
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], life)
redis.call('PEXPIRE', KEYS[2], life)
return 1
`)

// rollScript returns of each instance its name, its value and its age.
//
//nolint:dupword // blocks of Lua end where others do
var rollScript = redis.NewScript(`
local t = redis.call('TIME')
local now, found = t[1] * 1000 + math.floor(t[2] / 1000), {}
local list = redis.call('ZRANGEBYSCORE', KEYS[2], now - tonumber(ARGV[1]), '+inf', 'WITHSCORES')
for i = 1, #list, 2 do
  local value = redis.call('HGET', KEYS[1], list[i])
  if value then
    found[#found + 1] = list[i]
    found[#found + 1] = value
    found[#found + 1] = math.max(now - tonumber(list[i + 1]), 0)
  end
end
return found
`)
