import type { OwnScope } from '@millrace/service-kit'
import { describe, expect, it } from 'vitest'
import type { RepeatChanges } from '../../src/repeats/repeats.ts'
import { CHUNK_IDS, DAY_MS, loadRepeats, Repeats } from '../../src/repeats/repeats.ts'
import { measureRepeats, measureRepeatsOnDisk } from './measure.ts'

const WEEK = 7 * DAY_MS
const START = 20_000 * DAY_MS
const message = (id: number | string, receivedAt = START, key = 'user_id:u1', project = 1) => ({
  project,
  key,
  messageId: `m${id}`,
  receivedAt,
  horizonMs: WEEK,
})

/** Only what `loadRepeats` uses. */
const storeOf = (documents: ReadonlyMap<string, unknown>): Pick<OwnScope, 'scan'> =>
  ({
    scan: async ({ prefix, after, limit }: { prefix: string; after?: string; limit: number }) =>
      [...documents]
        .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit)
        .map(([key, document]) => ({ key, document })),
  })

const write = (documents: Map<string, unknown>, { puts, deletes }: RepeatChanges): void => {
  for (const [key, chunk] of puts) documents.set(key, Uint8Array.from(chunk))
  for (const key of deletes) documents.delete(key)
}

describe('the memory of repeats', () => {
  it('takes a message once for each project and filed key (P2)', () => {
    const repeats = new Repeats(WEEK)
    expect(repeats.isRepeat(message(1))).toBe(false)
    expect(repeats.isRepeat(message(1, START + 5))).toBe(true)
    expect(repeats.isRepeat(message(1, START, 'user_id:u2'))).toBe(false)
    expect(repeats.isRepeat(message(1, START, 'user_id:u1', 2))).toBe(false)
  })

  it('knows a message within the horizon, and takes it again when the horizon is past', () => {
    const repeats = new Repeats(WEEK)
    repeats.isRepeat(message(1))
    expect(repeats.isRepeat(message(1, START + WEEK))).toBe(true)
    expect(repeats.isRepeat(message(1, START + WEEK + DAY_MS))).toBe(false)
  })

  it('is the same after a restart, however the log was cut into batches', async () => {
    for (const size of [1, 7, CHUNK_IDS, 1000]) {
      const documents = new Map<string, unknown>()
      let repeats = new Repeats(WEEK)
      for (let id = 0; id < 2500; id++) {
        expect(repeats.isRepeat(message(id, START + id * 60_000))).toBe(false)
        if (id % size === 0) write(documents, repeats.takeChanges())
        if (id % 613 === 0) {
          write(documents, repeats.takeChanges())
          repeats = await loadRepeats(storeOf(documents), WEEK)
        }
      }
      write(documents, repeats.takeChanges())
      const again = await loadRepeats(storeOf(documents), WEEK)
      for (let id = 0; id < 2500; id++) expect(again.isRepeat(message(id, START + 2 * DAY_MS))).toBe(true)
      expect(again.takeChanges().puts).toEqual([])
      const bytes = [...documents.values()].reduce<number>((sum, chunk) => sum + (chunk as Uint8Array).byteLength, 0)
      expect(bytes).toBe(2500 * 12)
    }
  })

  it('forgets days past the horizon, in memory and in the store', () => {
    const documents = new Map<string, unknown>()
    const repeats = new Repeats(WEEK)
    for (let id = 0; id < 1000; id++) repeats.isRepeat(message(id))
    write(documents, repeats.takeChanges())
    expect(documents.size).toBe(3)
    repeats.isRepeat(message('late', START + 20 * DAY_MS))
    write(documents, repeats.takeChanges())
    expect(documents.size).toBe(1)
    expect(repeats.usage.ids).toBe(1)
  })

  it('forgets nothing within the horizon when the first batch behind a restart has no event (P2)', async () => {
    const documents = new Map<string, unknown>()
    const repeats = new Repeats(WEEK)
    for (const [id, day] of [[1, 0], [2, 6]] as const) repeats.isRepeat(message(id, START + day * DAY_MS))
    write(documents, repeats.takeChanges())
    const again = await loadRepeats(storeOf(documents), WEEK)
    write(documents, again.takeChanges())
    expect(documents.size).toBe(2)
    expect(again.isRepeat(message(1, START + 6 * DAY_MS))).toBe(true)
  })

  it('takes at most 20 bytes an id, in memory and on disk', async () => {
    const measured = { ...measureRepeats(200_000), diskBytesPerId: await measureRepeatsOnDisk(200_000) }
    process.stdout.write(`${JSON.stringify(measured)}\n`)
    expect(measured.diskBytesPerId).toBeLessThanOrEqual(20)
    expect(measured.memoryBytesPerId).toBeLessThanOrEqual(20)
    expect(measured.chunkBytesPerId).toBeLessThanOrEqual(20)
  })
})
