import { execFileSync } from 'node:child_process'
import { appendFile, mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { topics } from '@millrace/contracts'
import type { EventLog } from '@millrace/ports'
import { eventually } from '@millrace/ports/suites'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEmbeddedLog } from '../event-log/embedded.ts'
import { openLmdb } from './open.ts'

const TOPIC = topics.rejected.name
const value = Buffer.alloc(20_000, 7)
const append = (log: EventLog): Promise<void> => log.append([{ topic: TOPIC, partition: 0, value }])

/** A file system of 4 MB; only root may make one. */
const mountTiny = (dir: string): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

describe('a full disk', () => {
  let base: string
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'millrace-room-'))
  })
  afterEach(() => rm(base, { recursive: true }))

  it('below the floor of free bytes: LOG_FULL, nothing lost, ready says so', async () => {
    const root = await openLmdb(join(base, 'log'))
    const log = createEmbeddedLog({ root })
    await append(log)
    await log.close()
    await root.close()
    const full = await openLmdb(join(base, 'log'), { freeBytesMin: Number.MAX_SAFE_INTEGER })
    const refusing = createEmbeddedLog({ root: full })
    await expect(refusing.ready()).rejects.toMatchObject({ code: 'LOG_FULL' })
    await expect(append(refusing)).rejects.toMatchObject({ name: 'LogUnavailable', code: 'LOG_FULL' })
    expect((await refusing.extents(TOPIC))[0]).toEqual({ partition: 0, first: 0, next: 1 })
    await refusing.close()
    await full.close()
  })

  it('a folder on a disk without any room is closed, and free for whoever comes', async ({ skip }) => {
    const tiny = join(base, 'tiny')
    await mkdir(tiny)
    if (!mountTiny(tiny)) return skip('no file system can be mounted here (needs root on Linux)')
    try {
      const root = await openLmdb(join(tiny, 'log'))
      const fill = (): Promise<void> => expect(appendFile(join(tiny, 'ballast'), Buffer.alloc(8_000_000))).rejects.toMatchObject({ code: 'ENOSPC' })
      await fill()
      await root.close()
      // What the closing gave back.
      await fill()
      await expect(openLmdb(join(tiny, 'log'))).rejects.toMatchObject({ code: 'ENOSPC', message: expect.stringContaining(`the folder ${join(tiny, 'log')} cannot be taken`) })
      expect((await readdir(join(tiny, 'log'))).sort()).toEqual(['data.mdb', 'holder.1', 'lock.mdb'])
      await rm(join(tiny, 'ballast'))
      await (await openLmdb(join(tiny, 'log'))).close()
    } finally {
      execFileSync('umount', ['-l', tiny])
    }
  })

  it('a disk that is really full: LOG_FULL, nothing lost, takes again when there is room', async ({ skip }) => {
    const tiny = join(base, 'tiny')
    await mkdir(tiny)
    if (!mountTiny(tiny)) return skip('no file system can be mounted here (needs root on Linux)')
    try {
      const { acknowledged, found } = await fillAndFree(tiny)
      expect(acknowledged).toBeGreaterThan(10)
      expect(found).toBe(acknowledged)
    } finally {
      execFileSync('umount', ['-l', tiny])
    }
  })
})

const fillAndFree = async (tiny: string): Promise<{ acknowledged: number; found: number }> => {
  await writeFile(join(tiny, 'ballast'), Buffer.alloc(1_500_000))
  const root = await openLmdb(join(tiny, 'log'), { freeBytesMin: 0 })
  const log = createEmbeddedLog({ root, backOff: { firstMs: 20, mostMs: 100 } })
  const faults: unknown[] = []
  const subscription = await log.consume(copying(faults))
  let acknowledged = 0
  const failure = await (async () => {
    for (;;) {
      try {
        await append(log)
        acknowledged++
      } catch (error) {
        return error
      }
    }
  })()
  expect(failure).toMatchObject({ name: 'LogUnavailable', code: 'LOG_FULL' })
  expect((await log.extents(TOPIC))[0]!.next).toBe(acknowledged)
  await expect(log.ready()).rejects.toMatchObject({ code: 'LOG_FULL' })

  await rm(join(tiny, 'ballast'))
  await eventually(() => append(log).then(() => true, () => false), 60_000)
  await subscription.drain()
  const [source] = await log.extents(TOPIC)
  expect(source!.next).toBe(acknowledged + 1)
  expect((await log.extents(topics.map.name))[0]!.next).toBe(acknowledged + 1)
  await log.close()
  await root.close()
  const again = await openLmdb(join(tiny, 'log'), { freeBytesMin: 0 })
  const found = await createEmbeddedLog({ root: again }).read(TOPIC, 0, 0, { recordsMax: Infinity, bytesMax: Infinity })
  await again.close()
  return { acknowledged: acknowledged + 1, found: found.length }
}

/** One small output per record, so that steps need room too. */
const copying = (faults: unknown[]) => ({
  group: 'copying', topics: [TOPIC], batchRecordsMax: 3, batchBytesMax: 1_000_000, lingerMs: 0,
  open: async ({ committed }: { committed: { offset: number } }) => ({
    from: committed.offset,
    handle: async ({ records }: { records: readonly unknown[] }) => ({
      outputs: records.map(() => ({ topic: topics.map.name, partition: 0, value: Buffer.alloc(100) })),
    }),
    close: async () => {},
  }),
  onFault: (error: unknown) => faults.push(error),
})
