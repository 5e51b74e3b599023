import type { Clock, Document, Entry, HotStore, StateWrite, Timer } from '@millrace/ports'
import { behind, behindPrefix, keyOf, readTime, timeBytes } from '../lmdb/keys.ts'
import type { LmdbRoot } from '../lmdb/open.ts'
import type { Row, Table, WriteSet } from '../lmdb/write-set.ts'
import { type CachedDocument, createRecentReads } from './recent-reads.ts'
import { createSweeper, planEnd } from './embedded-ttl.ts'
import { createCodec, type Codec } from './codec.ts'
import { planState, readWatermark, stateBytes } from './embedded-writes.ts'

export interface EmbeddedHotStoreOptions {
  readonly root: LmdbRoot
  readonly clock: Clock
  /** Decoded documents kept in memory. Default 50,000. */
  readonly cacheEntriesMax?: number
  /** Bytes of those as they are stored. Default 16 MiB. */
  readonly cacheBytesMax?: number
  /** How often documents past their time are removed. They are invisible at once. Default 60,000. */
  readonly sweepMs?: number
}

/** State in the same lmdb environment as the log, so a step commits its state with its outputs and position. */
export const createEmbeddedHotStore = (options: EmbeddedHotStoreOptions): HotStore => {
  const { root, clock } = options
  const codec = createCodec()
  const cache = createRecentReads(options.cacheEntriesMax ?? 50_000, options.cacheBytesMax ?? 16 << 20)
  const stopWatching = root.onCommitted((writes) => {
    for (const { key } of writes.touched('documents')) cache.drop(key)
  })
  const sweeper = createSweeper(root, clock, codec, options.sweepMs ?? 60_000)
  const load = (key: Buffer): Document | undefined => {
    const found = cache.get(key) ?? cache.keep(key, readDocument(root, codec, key))
    return found && isLive(found.endsAt, clock) ? found.document : undefined
  }
  return {
    watermark: async (scope) => readWatermark(root, scope),
    get: async (scope, keys) => keys.map((key) => load(keyOf(scope, key))),
    scan: async (scope, scan) => scanEntries(root, codec, clock, scope, scan),
    apply: (write, over) => applyState(root, codec, write, over),
    timersDue: async (scope, at, limit) => timers(root, scope, { to: at, limit }),
    nextTimer: async (scope) => timers(root, scope, { limit: 1 })[0] ?? null,
    update: (scope, key, change, ttlMs) => updateDocument(root, codec, clock, keyOf(scope, key), change, ttlMs),
    clear: (scope) => root.commits.commit({ bytes: 1024, points: HOT_POINTS, plan: (writes) => planClear(root, writes, scope) }),
    close: async () => {
      stopWatching()
      await sweeper.stop()
    },
  }
}

// One point: a kill there leaves either nothing or all of the write.
const HOT_POINTS = { before: 'hot.apply', after: 'hot.apply.after-commit' }

const readDocument = (root: LmdbRoot, codec: Codec, key: Buffer): CachedDocument | undefined => {
  const value = root.get('documents', key)
  return value && { document: codec.decode(value), endsAt: codec.endsAt(value), bytes: value.length }
}

const isLive = (endsAt: number, clock: Clock): boolean => endsAt === 0 || endsAt > clock.now()

const applyState = (root: LmdbRoot, codec: Codec, write: StateWrite, over: number | undefined): Promise<boolean> =>
  root.commits.commit({ bytes: stateBytes(write), points: HOT_POINTS, plan: (writes) => planState(writes, codec, write, over) })

const scanEntries = (
  root: LmdbRoot, codec: Codec, clock: Clock, scope: string,
  { prefix, after, limit }: { prefix: string; after?: string; limit: number },
): Entry[] => {
  const head = keyOf(scope, '').length
  const first = keyOf(scope, prefix)
  const from = after === undefined ? first : behind(keyOf(scope, after))
  const entries: Entry[] = []
  if (limit <= 0) return entries
  const start = Buffer.compare(from, first) > 0 ? from : first
  for (const { key, value } of root.rows('documents', { start, end: behindPrefix(first) })) {
    if (!isLive(codec.endsAt(value), clock)) continue
    entries.push({ key: key.toString('utf8', head), document: codec.decode(value) })
    if (entries.length >= limit) break
  }
  return entries
}

const timers = (root: LmdbRoot, scope: string, { to, limit }: { to?: number; limit: number }): Timer[] => {
  if (limit <= 0) return []
  const start = keyOf(scope, '')
  const end = to === undefined ? behindPrefix(start) : keyOf(scope, timeBytes(Math.floor(to) + 1))
  return [...root.rows('timers', { start, end, limit })].map(({ key }) => ({
    at: readTime(key, start.length),
    id: key.toString('utf8', start.length + 8),
  }))
}

const updateDocument = (
  root: LmdbRoot, codec: Codec, clock: Clock, key: Buffer,
  change: (before: Document | undefined) => Document | undefined, ttlMs: number | undefined,
): Promise<Document | undefined> =>
  root.commits.commit({
    bytes: 256,
    points: HOT_POINTS,
    plan: (writes) => {
      const stored = writes.get('documents', key)
      const before = stored && isLive(codec.endsAt(stored), clock) ? codec.decode(stored) : undefined
      const after = change(before)
      if (after === undefined) writes.remove('documents', key)
      else {
        const endsAt = ttlMs === undefined ? 0 : clock.now() + ttlMs
        writes.put('documents', key, codec.encode(after, endsAt))
        if (endsAt > 0) planEnd(writes, key, endsAt)
      }
      return after
    },
  })

const planClear = (root: LmdbRoot, writes: WriteSet, scope: string): void => {
  const start = keyOf(scope, '')
  const end = behindPrefix(start)
  const within = (key: Buffer): boolean => Buffer.compare(key, start) >= 0 && Buffer.compare(key, end) < 0
  for (const table of ['documents', 'timers', 'timer-ids', 'watermarks'] satisfies Table[]) {
    for (const { key } of root.rows(table, { start, end }) as Iterable<Row>) writes.remove(table, key)
    for (const { key } of writes.pending(table)) if (within(key)) writes.remove(table, key)
  }
}
