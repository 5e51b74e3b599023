import {
  createZone,
  encodeRecord,
  type KeyLine,
  keyOf,
  type NumberExpected,
  type NumberLeft,
  partitionOfPerson,
  personIdOf,
  type ResolvedEventLine,
  type ResolvedLine,
  topics,
} from '@millrace/contracts'
import type { Clock, ColumnStore, EventLog, HotStore, LogRecord, NewRecord, PartitionConsumer, StateWrite } from '@millrace/ports'
import { createSnapshots, type Snapshots } from '../src/snapshots/snapshots.ts'
import { openFold } from '../src/fold/open-fold.ts'

/** The process ends here: what was in memory is gone, what was stored stays. */
export class Killed extends Error {}

export const PROJECT = 1
export const settings = { id: PROJECT, currency: 'CNY', identity: { types: [], blockedValues: [], keysPerPersonMax: 10, mergedPersonsMax: 10, usersPerDeviceMax: 50 } }
export const T = Date.UTC(2026, 0, 5, 9)

const clone = <Value>(value: Value): Value => (value === undefined ? value : JSON.parse(JSON.stringify(value)) as Value)

/** What outlives a kill: log, positions, hot store and column store, each as plain data. */
export const createDurable = () => {
  const records: LogRecord[][] = Array.from({ length: topics.resolved.partitions }, () => [])
  const committed = records.map(() => 0)
  const scopes = new Map<string, { watermark: number | null; documents: Map<string, unknown> }>()
  const rows = new Map<string, Record<string, unknown>>()
  const tokens = new Set<string>()
  let inserts = 0
  const scope = (name: string) => {
    const known = scopes.get(name) ?? { watermark: null, documents: new Map<string, unknown>() }
    scopes.set(name, known)
    return known
  }
  const append = (news: readonly NewRecord[]): void => {
    for (const { topic, partition, value } of news) records[partition]!.push({ topic, partition, offset: (records[partition]!.at(-1)?.offset ?? -1) + 1, value })
  }
  const apply = (write: StateWrite): boolean => {
    const known = scope(write.scope)
    if (known.watermark !== null && known.watermark >= write.watermark) return false
    known.watermark = write.watermark
    for (const [key, document] of write.puts) known.documents.set(key, clone(document))
    for (const key of write.deletes) known.documents.delete(key)
    return true
  }
  const hot: HotStore = {
    watermark: async (name) => scope(name).watermark,
    get: async (name, keys) => keys.map((key) => clone(scope(name).documents.get(key))),
    scan: async (name, { prefix, after = '', limit }) =>
      [...scope(name).documents].filter(([key]) => key.startsWith(prefix) && key > after).sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit).map(([key, document]) => ({ key, document: clone(document) })),
    apply: async (write) => apply(write),
    timersDue: async () => [],
    nextTimer: async () => null,
    update: async (name, key, change) => {
      const after = change(clone(scope(name).documents.get(key)))
      if (after === undefined) scope(name).documents.delete(key)
      else scope(name).documents.set(key, clone(after))
      return after
    },
    clear: async (name) => void scopes.delete(name),
    close: async () => {},
  }
  const log = {
    append: async (news: readonly NewRecord[]) => append(news),
    read: async (_topic: string, partition: number, from: number, { recordsMax }: { recordsMax: number }) =>
      records[partition]!.filter(({ offset }) => offset >= from).slice(0, recordsMax),
    extents: async () => records.map((list, partition) => ({ partition, first: list[0]?.offset ?? 0, next: (list.at(-1)?.offset ?? -1) + 1 })),
  } as unknown as EventLog
  /** A table of ReplacingMergeTree(version): the greatest version wins, of equal ones the last. */
  const columns = {
    insert: async ({ rows: bytes, token }: { rows: Uint8Array; token: string }) => {
      if (tokens.has(token)) return
      tokens.add(token)
      inserts++
      for (const line of Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean)) {
        const row = JSON.parse(line) as Record<string, unknown>
        const before = rows.get(String(row['person']))
        if (!before || Number(before['version']) <= Number(row['version'])) rows.set(String(row['person']), row)
      }
    },
  } as unknown as ColumnStore
  return { records, committed, scope, append, apply, hot, log, columns, rows, tokens, inserts: () => inserts }
}
export type Durable = ReturnType<typeof createDurable>

const still: Clock = { now: () => 0, after: () => () => {} }
const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} } as never

export interface Run {
  /** Hands the next `count` records of the partition over and stores what comes of them. False at the end. */
  step(partition: number, count: number): Promise<boolean>
  flush(): Promise<void>
  readonly snapshots: Snapshots
}

/** One life of the process. `stack`: state is written after the commit of outputs and position, as with Kafka and Redis. */
export const run = async (durable: Durable, { stack = false, probe = () => {}, rowsMax = 3 }: {
  stack?: boolean; probe?: (point: string) => void; rowsMax?: number
} = {}): Promise<Run> => {
  const zone = createZone('UTC')
  const snapshots = createSnapshots(
    { hot: durable.hot, log: durable.log, columns: durable.columns, clock: still, logger: silent, zoneOf: async () => zone, probe },
    { intervalMs: 300, rowsMax, waitingMax: 1000 },
  )
  const open = openFold(
    { hot: durable.hot, settingsOf: async () => settings, openSnapshots: snapshots.open, probe }, { cacheBytesMax: 50_000 },
  )
  const consumers: { consumer: PartitionConsumer; at: number }[] = []
  for (const [partition, offset] of durable.committed.entries()) {
    const consumer = await open({ topic: topics.resolved.name, partition, committed: { offset, metadata: '' }, declare: async () => {} })
    consumers.push({ consumer, at: consumer.from })
  }
  const step = async (partition: number, count: number): Promise<boolean> => {
    const one = consumers[partition]!
    const records = durable.records[partition]!.filter(({ offset }) => offset >= one.at).slice(0, count)
    if (records.length === 0) return false
    const replayed = one.at < durable.committed[partition]!
    // A batch lies on one side of the committed position.
    const mine = replayed ? records.filter(({ offset }) => offset < durable.committed[partition]!) : records
    const batch = { records: mine, end: mine.at(-1)!.offset + 1, replayed, caughtUp: false }
    const { outputs, state } = await one.consumer.handle(batch)
    if (!replayed) {
      durable.append(outputs)
      durable.committed[partition] = batch.end
    }
    if (stack) probe('fold.committed')
    durable.apply(state!)
    one.at = batch.end
    one.consumer.stored!(batch)
    return true
  }
  return { step, flush: snapshots.flush, snapshots }
}

// ── histories ──────────────────────────────────────────────────────────────────────────────────────────
export const personOf = (name: string): string => personIdOf(PROJECT, keyOf('user_id', name))
export const partitionOf = (person: string): number => partitionOfPerson(person, topics.resolved.partitions)

export const eventLine = (over: { number: number; epoch: number; person: string; messageId: string; at: number; name?: string; body?: object }): ResolvedEventLine => ({
  type: 'event', origin: 0, key: `user_id:u${over.number}`, number: over.number, epoch: over.epoch, person: over.person, place: [0, 0, 0],
  event: {
    type: 'track', event: over.name ?? 'Clicked', messageId: over.messageId, userId: `u${over.number}`,
    timestamp: new Date(over.at).toISOString(), ...over.body,
  },
})

/** One record of events.resolved. */
export const resolved = (partition: number, lines: readonly (ResolvedLine | KeyLine)[], receivedAt = T + 86_400_000): NewRecord => ({
  topic: topics.resolved.name,
  partition,
  value: encodeRecord(
    { kind: 'resolved', project: PROJECT, count: lines.length, origins: [{ source: 'web', protocol: 'segment', receivedAt, sentAt: null, events: lines.length, repeats: 0 }] },
    lines.map((line) => JSON.stringify(line)),
  ),
})

/** The lines by which a key that has no number changes person. */
export const keyLines = (key: string, epoch: number, from: string, to: string): readonly [KeyLine, KeyLine] => [
  { type: 'key.left', key, of: from, epoch },
  { type: 'key.joined', key, of: to, epoch },
]

/** The two lines of a move, and the partitions that they go to. */
export const moveLines = (number: number, epoch: number, nextEpoch: number, person: string, to: string): readonly [NumberLeft, NumberExpected] => [
  { type: 'number.left', number, epoch, nextEpoch, person, to },
  { type: 'number.expected', number, epoch: nextEpoch, person: to },
]
