import type { Clock } from '@millrace/ports'
import { readTime, timeBytes } from '../lmdb/keys.ts'
import type { LmdbRoot } from '../lmdb/open.ts'
import type { WriteSet } from '../lmdb/write-set.ts'
import type { Codec } from './codec.ts'

const NOTHING = Buffer.of(0)
const SWEEP_ENTRIES_MAX = 1_000

/** Notes that the document under `key` ends at `endsAt`. A stale note does no harm: the document itself is asked. */
export const planEnd = (writes: WriteSet, key: Buffer, endsAt: number): void =>
  writes.put('expiries', Buffer.concat([timeBytes(endsAt), key]), NOTHING)

/** Removes documents whose time is over, a bounded number at a time. Readers don't see them anyway. */
export const createSweeper = (root: LmdbRoot, clock: Clock, codec: Codec, everyMs: number): { stop(): Promise<void> } => {
  let stopped = false
  let sweeping: Promise<void> = Promise.resolve()
  let cancel = clock.after(everyMs, next)
  function next(): void {
    sweeping = sweep(root, clock, codec)
      .catch(() => undefined) // the disk may be full; the next round tries again
      .finally(() => {
        if (!stopped) cancel = clock.after(everyMs, next)
      })
  }
  return {
    stop: async () => {
      stopped = true
      cancel()
      await sweeping
    },
  }
}

const sweep = async (root: LmdbRoot, clock: Clock, codec: Codec): Promise<void> => {
  const end = timeBytes(clock.now() + 1)
  const due = [...root.rows('expiries', { start: timeBytes(0), end, limit: SWEEP_ENTRIES_MAX })].map(({ key }) => key)
  if (due.length === 0) return
  await root.commits.commit({
    bytes: due.length * 64,
    plan: (writes) => {
      for (const note of due) {
        const key = Buffer.from(note.subarray(8))
        const value = writes.get('documents', key)
        if (value && codec.endsAt(value) === readTime(note)) writes.remove('documents', key)
        writes.remove('expiries', note)
      }
    },
  })
  if (due.length === SWEEP_ENTRIES_MAX) await sweep(root, clock, codec)
}
