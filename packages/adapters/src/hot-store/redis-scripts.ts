/**
 * What Redis runs as one step. All keys of a scope carry the hash tag `{prefix:scope}`, so they live in one slot:
 *
 *   KEYS[1]  hash: documents by key; in the field \255 (no UTF-8 text has that byte) the watermark and how many timers there are
 *   KEYS[2]  sorted set, all scores 0: the keys of the documents, so in order of their bytes
 *   KEYS[3]  sorted set: timers by time, then by the bytes of the id
 *   KEYS[4]  sorted set: keys of documents that end, by time
 *
 * Scripts read no clock and no chance: Redis before 7 repeats them from its log.
 */
const LIBRARY = `
local MARK, CHUNK = '\\255', 500

-- The watermark. A scope of which one of the keys is gone is forgotten as a whole.
local function watermark()
  local mark = redis.call('HGET', KEYS[1], MARK)
  local documents = redis.call('HLEN', KEYS[1]) - (mark and 1 or 0)
  local stored, timers = string.match(mark or '', '^(%S+) (%S+)$')
  if documents == redis.call('ZCARD', KEYS[2]) and redis.call('ZCARD', KEYS[3]) == tonumber(timers or 0) then return stored end
  redis.call('UNLINK', unpack(KEYS))
  return nil
end

-- Calls a command with ARGV[from..to], cut so that the stack of Lua holds it.
local function each(command, key, from, to)
  for at = from, to, CHUNK do redis.call(command, key, unpack(ARGV, at, math.min(at + CHUNK - 1, to))) end
end

local function index(from, to)
  local members = {}
  for at = from, to, 2 do
    members[#members + 1] = '0'
    members[#members + 1] = ARGV[at]
  end
  redis.call('ZADD', KEYS[2], unpack(members))
end

local function unend(from, to, step)
  for at = from, to, step do redis.call('ZREM', KEYS[4], ARGV[at]) end
end
`

const WATERMARK = `${LIBRARY}
return watermark()`

/** ARGV: watermark, over or '', numbers of puts, deletes, set and cleared timers; then (key, value)…, key…, (at, id)…, id… */
const APPLY = `${LIBRARY}
local stored = watermark()
if stored and tonumber(stored) >= tonumber(ARGV[1]) then return 0 end
if ARGV[2] ~= '' and tonumber(stored or 0) ~= tonumber(ARGV[2]) then return 0 end
local puts = 7
local deletes = puts + 2 * ARGV[3]
local sets = deletes + ARGV[4]
local clears = sets + 2 * ARGV[5]
-- First a command that Redis refuses when its memory is full: behind the first write it would refuse none.
redis.call('HSET', KEYS[1], MARK, ARGV[1] .. ' 0')
for at = puts, deletes - 1, CHUNK do
  local to = math.min(at + CHUNK - 1, deletes - 1)
  if redis.call('HSET', KEYS[1], unpack(ARGV, at, to)) > 0 then index(at, to) end
end
each('HDEL', KEYS[1], deletes, sets - 1)
each('ZREM', KEYS[2], deletes, sets - 1)
if redis.call('EXISTS', KEYS[4]) == 1 then
  unend(puts, deletes - 1, 2)
  unend(deletes, sets - 1, 1)
end
each('ZADD', KEYS[3], sets, clears - 1)
each('ZREM', KEYS[3], clears, clears + ARGV[6] - 1)
redis.call('HSET', KEYS[1], MARK, ARGV[1] .. ' ' .. redis.call('ZCARD', KEYS[3]))
return 1`

/** ARGV: first and last place in the order, documents at most, bytes at most. Answers key, value, …; then 1 when there is more. */
const SCAN = `${LIBRARY}
local keys = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
local found, bytes = {}, 0
for at, key in ipairs(keys) do
  local value = redis.call('HGET', KEYS[1], key)
  if value then
    bytes = bytes + #value
    found[#found + 1] = key
    found[#found + 1] = value
  end
  if bytes > tonumber(ARGV[4]) and at < #keys then
    found[#found + 1] = '1'
    return found
  end
end
found[#found + 1] = #keys < tonumber(ARGV[3]) and '0' or '1'
return found`

/** ARGV: key, '1' and the value before or '0' and '', '1' and the value after or '0' and '', when it ends or '0', now. */
const SWAP = `${LIBRARY}
local key = ARGV[1]
local before = redis.call('HGET', KEYS[1], key)
if (before and '1' or '0') ~= ARGV[2] or (before or '') ~= ARGV[3] then return 0 end
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], key, ARGV[5])
  redis.call('ZADD', KEYS[2], 0, key)
else
  redis.call('HDEL', KEYS[1], key)
  redis.call('ZREM', KEYS[2], key)
end
if ARGV[6] == '0' then redis.call('ZREM', KEYS[4], key) return 1 end
redis.call('ZADD', KEYS[4], ARGV[6], key)
-- Each document that ends takes away more than itself: what is over does not gather.
for _, over in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', ARGV[7], 'LIMIT', 0, 16)) do
  redis.call('HDEL', KEYS[1], over)
  redis.call('ZREM', KEYS[2], over)
  redis.call('ZREM', KEYS[4], over)
end
return 1`

/** Name of each script among the client's commands, its text. */
export const scripts = { millraceWatermark: WATERMARK, millraceApply: APPLY, millraceScan: SCAN, millraceSwap: SWAP } as const

/** The four keys of a scope, in the order of KEYS. */
export const keysOf = (prefix: string, scope: string): readonly string[] => {
  const tag = `{${prefix}:${scope}}`
  return [tag, `${tag}:keys`, `${tag}:timers`, `${tag}:ends`]
}
