import { LogUnavailable, type NewRecord } from '@millrace/ports'
import { keyOf } from '../../lmdb/keys.ts'
import { openLmdb, type LmdbRoot } from '../../lmdb/open.ts'
import { refuse } from '../refusal.ts'
import { decodeEntry, encodeEntry, placeOf, type Ends, type Entry } from './entry.ts'

/** One record as it lies in the spool. */
export interface Held extends Entry {
  readonly sequence: number
  readonly bytes: number
}

/** Records in the order in which they were taken, on disk; what is sent is noted before. */
export interface SpoolStore {
  records(): number
  bytes(): number
  oldestAt(): number | null
  /** Durable when it resolves. `sentBehind`: they were sent when the log ended there. @throws LogUnavailable, and nothing is kept */
  put(records: readonly NewRecord[], at: number, sentBehind: Ends | null): Promise<void>
  /** Resolves when every `put` so far has ended. */
  settled(): Promise<void>
  /** The oldest ones that are on disk, at most so many bytes; one always comes. */
  front(bytesMax: number): readonly Held[]
  /** All up to this one are about to be sent, and the log ends there. Durable when it resolves. */
  noteSending(until: number, ends: Ends): Promise<void>
  remove(held: readonly Held[]): Promise<void>
  /** @throws LogUnavailable when nothing more has room */
  checkRoom(): Promise<void>
  close(): Promise<void>
}

export interface SpoolStoreOptions {
  readonly dir: string
  readonly bytesMax: number
  readonly freeBytesMin?: number | undefined
  readonly probe: (point: string) => void
}

const RETRY_AFTER_SECONDS = 10
const FRONT_RECORDS_MAX = 2_000
const POINTS = { before: 'spool.put.before-commit', after: 'spool.put.after-commit' }

/** @throws DataDirHeld when another process has the folder */
export const openSpoolStore = async ({ dir, bytesMax, freeBytesMin, probe }: SpoolStoreOptions): Promise<SpoolStore> => {
  const root = await openLmdb(dir, { freeBytesMin, probe })
  const held = count(root)
  const puts = new Set<Promise<void>>()
  let sending = readSending(root)
  let next = Math.max(held.last, sending.until) + 1
  /** The least that was refused since something was removed. */
  let refused = Infinity

  const checkBytes = (more: number): void => {
    if (held.bytes + more <= bytesMax) return
    refused = Math.min(refused, more)
    throw new LogUnavailable('LOG_FULL', `the spool holds ${held.bytes} bytes of at most ${bytesMax}, and the log is away`, RETRY_AFTER_SECONDS)
  }
  const commit = (rows: readonly (readonly [sequence: number, value: Buffer])[], bytes: number): Promise<void> => {
    try {
      root.room.checkKnown()
      return root.commits.commit({ bytes, points: POINTS, plan: (writes) => rows.forEach(([sequence, value]) => writes.put('records', keyAt(sequence), value)) }).catch(refuse)
    } catch (error) {
      return refuse(error)
    }
  }
  return {
    records: () => held.records,
    bytes: () => held.bytes,
    oldestAt: () => [...heldFrom(root, 1)][0]?.at ?? null,
    put: async (records, at, sentBehind) => {
      const rows = records.map((record) => [next++, encodeEntry({ record, at, mayBeFrom: sentBehind && (sentBehind.get(placeOf(record)) ?? 0) })] as const)
      const bytes = rows.reduce((sum, [, { length }]) => sum + length, 0)
      checkBytes(bytes)
      const put = commit(rows, bytes)
      held.bytes += bytes
      held.records += rows.length
      puts.add(put)
      await put
        .catch((error: unknown) => {
          held.bytes -= bytes
          held.records -= rows.length
          throw error
        })
        .finally(() => puts.delete(put))
    },
    settled: async () => void (await Promise.allSettled(puts)),
    front: (most) => {
      let bytes = 0
      const front: Held[] = []
      for (const row of heldFrom(root)) {
        const sent = row.sequence <= sending.until
        bytes += row.bytes
        // All that were sent together stay together: the note of the next sending takes the place of theirs.
        if (!sent && front.length > 0 && (bytes > most || front.length >= FRONT_RECORDS_MAX)) break
        // Later than what the record itself says: it was looked for, and then sent again.
        front.push(sent ? { ...row, mayBeFrom: sending.ends.get(placeOf(row.record)) ?? row.mayBeFrom } : row)
      }
      return front
    },
    noteSending: async (until, ends) => {
      const note = Buffer.from(JSON.stringify({ until, ends: [...ends] }))
      await root.commits.commit({ bytes: note.length, plan: (writes) => writes.put('positions', SENDING, note) })
      sending = { until, ends }
    },
    remove: async (rows) => {
      await root.commits.commit({ bytes: rows.length * 16, plan: (writes) => rows.forEach(({ sequence }) => writes.remove('records', keyAt(sequence))) })
      held.records -= rows.length
      held.bytes -= rows.reduce((sum, { bytes }) => sum + bytes, 0)
      refused = Infinity
    },
    checkRoom: async () => {
      // Some bytes are always left in which nothing that comes has room.
      checkBytes(Number.isFinite(refused) ? refused : 1)
      await root.room.check().catch(refuse)
    },
    close: () => root.close(),
  }
}

const NAME = 'spool'
const SENDING = keyOf('sending', '')
const LAST = Number.MAX_SAFE_INTEGER

const keyAt = (sequence: number): Buffer => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(BigInt(sequence))
  return keyOf(NAME, bytes)
}

const rowsOf = (root: LmdbRoot, limit?: number) =>
  root.rows('records', { start: keyAt(0), end: keyAt(LAST), ...(limit === undefined ? {} : { limit }) })

const sequenceOf = (key: Buffer): number => Number(key.readBigUInt64BE(key.length - 8))

function* heldFrom(root: LmdbRoot, limit?: number): Generator<Held> {
  for (const { key, value } of rowsOf(root, limit)) yield { ...decodeEntry(value), sequence: sequenceOf(key), bytes: value.length }
}

const count = (root: LmdbRoot) => {
  const held = { records: 0, bytes: 0, last: 0 }
  for (const { key, value } of rowsOf(root)) {
    held.records++
    held.bytes += value.length
    held.last = sequenceOf(key)
  }
  return held
}

const readSending = (root: LmdbRoot): { readonly until: number; readonly ends: Ends } => {
  const note = root.get('positions', SENDING)
  if (!note) return { until: 0, ends: new Map() }
  const { until, ends } = JSON.parse(note.toString()) as { until: number; ends: [string, number][] }
  return { until, ends: new Map(ends) }
}
