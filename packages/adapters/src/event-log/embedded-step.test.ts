import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { topics } from '@millrace/contracts'
import type { Batch, ConsumeOptions, Step } from '@millrace/ports'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEmbeddedHotStore } from '../hot-store/embedded.ts'
import { openLmdb, type LmdbRoot } from '../lmdb/open.ts'
import { createEmbeddedLog } from './embedded.ts'
import { StateRefused } from './state-refused.ts'

const IN = topics.rejected.name
const OUT = topics.map.name

describe('a step of the embedded log', () => {
  let dir: string
  let root: LmdbRoot
  let atPoint: (point: string) => void
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'millrace-step-'))
    atPoint = () => {}
    root = await openLmdb(dir, { probe: (point) => atPoint(point) })
  })
  afterEach(async () => {
    await root.close()
    await rm(dir, { recursive: true })
  })

  const setUp = () => ({
    log: createEmbeddedLog({ root, backOff: { firstMs: 5, mostMs: 10 } }),
    hot: createEmbeddedHotStore({ root, clock: { now: () => 0, after: () => () => {} } }),
  })
  const append = (log: ReturnType<typeof setUp>['log'], text: string): Promise<void> =>
    log.append([{ topic: IN, partition: 0, value: Buffer.from(text) }])
  const consumer = (handle: (batch: Batch) => Step, faults: unknown[] = []): ConsumeOptions => ({
    group: 'g', topics: [IN], batchRecordsMax: 10, batchBytesMax: 10_000, lingerMs: 0,
    open: async ({ committed }) => ({ from: committed.offset, handle: async (batch) => handle(batch), close: async () => {} }),
    onFault: (error) => faults.push(error),
  })
  const step = (watermark: number): Step => ({
    outputs: [{ topic: OUT, partition: 0, value: Buffer.from('out') }],
    state: { scope: 'g:0', watermark, puts: [['k', watermark]], deletes: [], timers: [['t', watermark]] },
  })

  it('stores outputs, position, metadata and state in one transaction', async () => {
    const { log, hot } = setUp()
    const seen: unknown[] = []
    atPoint = (point) => {
      if (point.startsWith('step.')) seen.push([point, root.get('watermarks', Buffer.from('g:0\0'))?.readDoubleBE(0)])
    }
    await append(log, 'a')
    const subscription = await log.consume(consumer(({ end }) => ({ ...step(end), metadata: 'm' })))
    await subscription.drain()
    await log.close()
    expect(seen).toEqual([['step.before-commit:g', undefined], ['step.after-commit:g', 1]])
    expect(await log.committed('g', IN, 0)).toEqual({ offset: 1, metadata: 'm' })
    expect([await hot.watermark('g:0'), await hot.get('g:0', ['k']), await hot.nextTimer('g:0')]).toEqual([1, [1], { id: 't', at: 1 }])
    expect((await log.extents(OUT))[0]!.next).toBe(1)
    await hot.close()
  })

  it('is stored without its state when the state is not newer, and the consumer starts anew', async () => {
    const { log, hot } = setUp()
    await hot.apply({ scope: 'g:0', watermark: 50, puts: [['k', 'newer']], deletes: [], timers: [] })
    await append(log, 'a')
    const faults: unknown[] = []
    const subscription = await log.consume(consumer(({ end }) => step(end), faults))
    await subscription.drain()
    await log.close()
    expect(faults.map((fault) => fault instanceof StateRefused)).toEqual([true])
    expect((await log.committed('g', IN, 0)).offset).toBe(1)
    expect((await log.extents(OUT))[0]!.next).toBe(1)
    expect(await hot.get('g:0', ['k'])).toEqual(['newer'])
    await hot.close()
  })

  it('of a replay changes state alone', async () => {
    const { log, hot } = setUp()
    await append(log, 'a')
    await (await log.consume(consumer(({ end }) => step(end)))).drain()
    await log.close()
    await hot.clear('g:0')
    const again = createEmbeddedLog({ root })
    const options = consumer(({ end }) => step(end))
    const replaying: ConsumeOptions = { ...options, open: async (assignment) => ({ ...(await options.open(assignment)), from: 0 }) }
    await (await again.consume(replaying)).drain()
    expect(await hot.get('g:0', ['k'])).toEqual([1])
    expect((await again.extents(OUT))[0]!.next).toBe(1)
    await again.close()
    await hot.close()
  })

  it('and an append are seen by nobody before they are on disk', async () => {
    const { log, hot } = setUp()
    const seen: number[] = []
    atPoint = (point) => {
      if (!point.startsWith('log.append.before')) return
      void log.extents(IN).then((extents) => seen.push(extents[0]!.next))
      void log.read(IN, 0, 0, { recordsMax: 10, bytesMax: 10_000 }).then((records) => seen.push(records.length))
    }
    await append(log, 'a')
    await append(log, 'b')
    expect(seen).toEqual([0, 0, 1, 1])
    await log.close()
    await hot.close()
  })

  it('belongs to one consumer a group: a second one is refused until the first has stopped', async () => {
    const { log, hot } = setUp()
    const options = consumer(() => ({ outputs: [] }))
    const first = await log.consume(options)
    await expect(log.consume(options)).rejects.toThrow('the group g consumes this already')
    await first.stop()
    await (await log.consume(options)).stop()
    await log.close()
    await hot.close()
  })

  it('is refused alone when it names a key that cannot be stored', async () => {
    const { log, hot } = setUp()
    const faults: unknown[] = []
    await append(log, 'a')
    let broken = true
    const subscription = await log.consume(consumer(({ end }) => {
      const good = step(end)
      return broken ? { ...good, state: { ...good.state!, puts: [['x'.repeat(3_000), 1]] } } : good
    }, faults))
    await append(log, 'b')
    broken = false
    await subscription.drain()
    await log.close()
    expect(String(faults[0])).toContain('too long')
    expect((await log.extents(OUT))[0]!.next).toBeGreaterThan(0)
    await hot.close()
  })
})
