import type { Clock, Document, Entry, HotStore, Timer } from '@millrace/ports'
import { behindPrefix } from '../lmdb/keys.ts'
import { createCodec, type Codec } from './codec.ts'
import { checkRedis } from './redis-check.ts'
import { connectRedis, type Connection } from './redis-connection.ts'
import { keysOf } from './redis-scripts.ts'
import { createSwaps } from './redis-swap.ts'
import { applyArguments } from './redis-writes.ts'

export interface RedisHotStoreOptions {
  /** `redis[s]://[user:password@]host:port[/db]`; several are nodes of one Redis Cluster. */
  readonly urls: readonly string[]
  readonly clock: Clock
  /** Before every key, where several Millraces share one Redis. Default `millrace`. */
  readonly prefix?: string
  /** How long Redis may be silent before a command fails, and how long the start waits for it. Default 10,000. */
  readonly answerMs?: number
  /** Told once at the start when this Redis would forget after a restart. */
  readonly onWarning?: (warning: { readonly event: string; readonly message: string }) => void
}

/**
 * State in Redis: a step of a consumer is one script, all or nothing, and only over the watermark that it builds on.
 * @throws HotStoreUnavailable when none answers, RedisUnfit when it may evict what it holds
 */
export const createRedisHotStore = async ({ urls, clock, prefix = 'millrace', answerMs = 10_000, onWarning }: RedisHotStoreOptions): Promise<HotStore> => {
  if (!/^[^{}\0]+$/.test(prefix)) throw new Error('the prefix of the hot store must not be empty and hold no braces')
  const connection = await connectRedis({ urls, answerMs })
  try {
    await connection.ask((client) => checkRedis(client, onWarning ?? (() => undefined)))
  } catch (error) {
    await connection.close()
    throw error
  }
  const codec = createCodec()
  const scopeKeys = (scope: string): readonly string[] => {
    if (scope.includes('\0')) throw new Error(`a name must not hold a zero character: ${JSON.stringify(scope)}`)
    return keysOf(prefix, scope)
  }
  const store: StoreDeps = { connection, codec, clock, scopeKeys }
  const swaps = createSwaps(store)
  return {
    watermark: async (scope) => {
      const found = await connection.ask((client) => client.millraceWatermark(4, ...scopeKeys(scope)))
      return found === null ? null : Number(found)
    },
    get: (scope, keys) => getDocuments(store, scope, keys),
    scan: (scope, options) => scanEntries(store, scope, options),
    apply: async (write, over) => {
      const args = applyArguments(codec, write, over)
      return (await connection.ask((client) => client.millraceApply(4, ...scopeKeys(write.scope), ...args))) === 1
    },
    timersDue: async (scope, at, limit) =>
      limit <= 0 ? [] : timersOf(await connection.ask((client) => client.zrangebyscore(scopeKeys(scope)[2]!, '-inf', Math.floor(at), 'WITHSCORES', 'LIMIT', 0, limit))),
    nextTimer: async (scope) => timersOf(await connection.ask((client) => client.zrange(scopeKeys(scope)[2]!, 0, 0, 'WITHSCORES')))[0] ?? null,
    update: swaps.update,
    clear: async (scope) => {
      await connection.ask((client) => client.unlink(...scopeKeys(scope)))
    },
    close: () => connection.close(),
  }
}

export interface StoreDeps {
  readonly connection: Connection
  readonly codec: Codec
  readonly clock: Clock
  /** @throws for a name that no store takes */
  scopeKeys(scope: string): readonly string[]
}

const GET_KEYS_MAX = 1_000
const PAGE_ENTRIES_MAX = 1_000
const PAGE_BYTES_MAX = 4 << 20

const getDocuments = async ({ connection, codec, clock, scopeKeys }: StoreDeps, scope: string, keys: readonly string[]): Promise<(Document | undefined)[]> => {
  const [hash] = scopeKeys(scope)
  const parts = Array.from({ length: Math.ceil(keys.length / GET_KEYS_MAX) }, (_, part) => keys.slice(part * GET_KEYS_MAX, (part + 1) * GET_KEYS_MAX))
  const found = await connection.ask((client) => Promise.all(parts.map((part) => client.hmgetBuffer(hash!, ...part))))
  const now = clock.now()
  return found.flat().map((value) => (value && isLive(codec, value, now) ? codec.decode(value) : undefined))
}

const isLive = (codec: Codec, value: Buffer, now: number): boolean => {
  const endsAt = codec.endsAt(value)
  return endsAt === 0 || endsAt > now
}

const scanEntries = async (
  { connection, codec, clock, scopeKeys }: StoreDeps, scope: string, { prefix, after, limit }: { prefix: string; after?: string; limit: number },
): Promise<Entry[]> => {
  const entries: Entry[] = []
  const first = Buffer.from(prefix)
  const end = first.length === 0 ? '+' : Buffer.concat([Buffer.from('('), behindPrefix(first)])
  const start = after !== undefined && Buffer.compare(Buffer.from(after), first) >= 0 ? `(${after}` : `[${prefix}`
  for (let from: string | Buffer | null = start; from !== null && entries.length < limit; ) {
    const at: string | Buffer = from
    const most = Math.min(PAGE_ENTRIES_MAX, limit - entries.length)
    const page = (await connection.ask((client) => client.millraceScanBuffer(4, ...scopeKeys(scope), at, end, String(most), String(PAGE_BYTES_MAX)))) as Buffer[]
    const now = clock.now()
    for (let index = 0; index + 1 < page.length; index += 2) {
      const value = page[index + 1]!
      if (isLive(codec, value, now)) entries.push({ key: page[index]!.toString(), document: codec.decode(value) })
    }
    from = page.at(-1)!.toString() === '1' ? Buffer.concat([Buffer.from('('), page.at(-3)!]) : null
  }
  return entries
}

/** Redis answers id, time, id, time, … */
const timersOf = (answer: readonly string[]): Timer[] =>
  Array.from({ length: answer.length / 2 }, (_, index) => ({ id: answer[2 * index]!, at: Number(answer[2 * index + 1]) }))
