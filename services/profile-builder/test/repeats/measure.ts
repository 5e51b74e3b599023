import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedHotStore, createSystemClock, openLmdb } from '@millrace/adapters'
import { DAY_MS, Repeats } from '../../src/repeats/repeats.ts'

export interface RepeatsMeasured {
  readonly ids: number
  readonly memoryBytesPerId: number
  /** One page of 4,096 bytes for each full chunk and 64 for its key. */
  readonly chunkBytesPerId: number
  /** Of CPU time: a machine that is busy with other things does not change it. */
  readonly microsPerId: number
  readonly microsPerRepeat: number
}

/** Bytes and time of the memory of repeats over a week, for the bench. Batches of 100; ids as SDKs make them. */
export const measureRepeats = (ids: number): RepeatsMeasured => {
  const repeats = new Repeats(7 * DAY_MS)
  const chunks = new Map<string, number>()
  const messageId = (at: number): string => `node-next-1769990400000-${(at * 2654435761) % 4294967296}-${at}-4c8f-9b1d`
  const at = (index: number) => ({
    project: 1,
    key: `user_id:user-${index % 5000}`,
    messageId: messageId(index),
    receivedAt: 20_000 * DAY_MS + Math.floor((index / ids) * 7 * DAY_MS),
    horizonMs: 7 * DAY_MS,
  })
  const messages = Array.from({ length: ids }, (_, index) => at(index))
  const started = process.cpuUsage()
  for (let index = 0; index < ids; index++) {
    repeats.isRepeat(messages[index]!)
    if (index % 100 === 99) for (const [key, chunk] of repeats.takeChanges().puts) chunks.set(key, chunk.byteLength)
  }
  const taken = process.cpuUsage()
  for (let index = 0; index < ids; index++) repeats.isRepeat(messages[index]!)
  const repeated = process.cpuUsage()
  for (const [key, chunk] of repeats.takeChanges().puts) chunks.set(key, chunk.byteLength)
  const pages = [...chunks.values()].reduce((sum, bytes) => sum + Math.ceil((bytes + 24) / 4096) * 4096 + 64, 0)
  return {
    ids,
    memoryBytesPerId: round(repeats.usage.bytes / repeats.usage.ids),
    chunkBytesPerId: round(pages / ids),
    microsPerId: round(cpuBetween(started, taken) / ids),
    microsPerRepeat: round(cpuBetween(taken, repeated) / ids),
  }
}

const round = (value: number): number => Math.round(value * 100) / 100
const cpuBetween = (before: NodeJS.CpuUsage, after: NodeJS.CpuUsage): number =>
  after.user - before.user + after.system - before.system

/** Bytes that the embedded store takes for the chunks of that many ids of one day: growth of its file, free pages included. */
export const measureRepeatsOnDisk = async (ids: number): Promise<number> => {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-repeats-'))
  const root = await openLmdb(dir, { syncMode: 'os' })
  const hot = createEmbeddedHotStore({ root, clock: createSystemClock() })
  const repeats = new Repeats(7 * DAY_MS)
  try {
    const before = await sizeOf(dir)
    for (let index = 0; index < ids; index++) {
      repeats.isRepeat({ project: 1, key: 'user_id:u', messageId: `m${index}`, receivedAt: 20_000 * DAY_MS, horizonMs: 7 * DAY_MS })
      if (index % 1000 !== 999) continue
      await hot.apply({ scope: 'resolve:0', watermark: index, timers: [], ...repeats.takeChanges() })
    }
    return round(((await sizeOf(dir)) - before) / ids)
  } finally {
    await hot.close()
    await root.close()
    await rm(dir, { recursive: true, force: true })
  }
}

const sizeOf = async (dir: string): Promise<number> => {
  const sizes = await Promise.all((await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
