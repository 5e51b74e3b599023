import type { HotStore, PartitionConsumer, StateWrite } from '@millrace/ports'
import { expect, it } from 'vitest'
import { StateRefused } from '../state-refused.ts'
import { runPartition } from './partition.ts'

it('discards what a consumer has in memory when its state is refused, and begins again from what is stored', async () => {
  const faults: unknown[] = []
  const opened: number[] = []
  let stored = 0
  let committed = 0
  // The late write of a copy that lost the partition: ahead of what this one folds first.
  const late = [5]
  const hot = {
    apply: async ({ watermark }: StateWrite) => {
      stored = Math.max(stored, late.pop() ?? 0)
      if (watermark <= stored) return false
      stored = watermark
      return true
    },
  } as unknown as HotStore
  const consumer = (from: number): PartitionConsumer => ({
    from,
    scope: 's',
    handle: async ({ end }) => ({ outputs: [], state: { scope: 's', watermark: end, puts: [], deletes: [], timers: [] } }),
    close: async () => {},
  })
  const run = runPartition({
    topic: 't',
    partition: 0,
    hot,
    options: {
      group: 'g', topics: ['t'], batchRecordsMax: 10, batchBytesMax: 1_000, lingerMs: 0,
      open: async () => {
        opened.push(stored)
        return consumer(stored)
      },
      onFault: (error) => void faults.push(error),
    },
    committed: async () => ({ offset: committed, metadata: '' }),
    commit: async ({ positions }) => void (committed = positions[0]!.offset),
    first: async () => 0,
    membership: () => ({ memberId: 'm', generationId: 1 }),
    seek: () => {},
  })
  const record = (offset: number) => ({ topic: 't', partition: 0, offset, value: Buffer.of(1) })
  await new Promise((resolve) => setTimeout(resolve, 20))
  await run.push({ fetchedFrom: 0, records: [record(0), record(1), record(2)], end: 3, caughtUp: true })
  await expect.poll(() => opened).toEqual([0, 5])
  await run.push({ fetchedFrom: 5, records: [record(5)], end: 6, caughtUp: true })
  await expect.poll(() => stored).toBe(6)
  await run.stop()
  expect(faults.map((fault) => fault instanceof StateRefused)).toEqual([true])
})

it('writes state only over what the consumer built on, and does not fold one that the log cannot give back', async () => {
  const faults: unknown[] = []
  const overs: (number | undefined)[] = []
  const hot = { apply: async (_write: StateWrite, over?: number) => (overs.push(over), true), watermark: async () => 4 } as unknown as HotStore
  let from = 0
  const run = runPartition({
    topic: 't', partition: 0, hot,
    options: {
      group: 'g', topics: ['t'], batchRecordsMax: 1, batchBytesMax: 1_000, lingerMs: 0,
      open: async () => ({
        from, scope: 's',
        handle: async ({ end }) => ({ outputs: [], state: { scope: 's', watermark: end, puts: [], deletes: [], timers: [] } }),
        close: async () => {},
      }),
      onFault: (error) => {
        faults.push(error)
        from = 4
      },
    },
    committed: async () => ({ offset: 6, metadata: '' }),
    first: async () => 3,
    commit: async () => {},
    membership: () => ({ memberId: 'm', generationId: 1 }),
    seek: () => {},
  })
  await expect.poll(() => faults.map((fault) => (fault as Error).message)).toEqual([expect.stringContaining('the state of s ends at 0, and t/0 begins at 3')])
  const record = (offset: number) => ({ topic: 't', partition: 0, offset, value: Buffer.of(1) })
  await expect.poll(async () => {
    await run.push({ fetchedFrom: 4, records: [record(4), record(5), record(6)], end: 7, caughtUp: true })
    return overs
  }).toEqual([4, 5, 6])
  await run.stop()
})

it('notices without traffic that its state is gone', async () => {
  const faults: unknown[] = []
  let stored: number | null = 6
  let opened = 0
  const run = runPartition({
    topic: 't', partition: 0, lookMs: 5,
    hot: { watermark: async () => stored } as unknown as HotStore,
    options: {
      group: 'g', topics: ['t'], batchRecordsMax: 1, batchBytesMax: 1_000, lingerMs: 0,
      open: async () => ({ from: (opened++, stored ?? 0), scope: 's', handle: async () => ({ outputs: [] }), close: async () => {} }),
      onFault: (error) => void faults.push(error),
    },
    committed: async () => ({ offset: 6, metadata: '' }),
    first: async () => 0,
    commit: async () => {},
    membership: () => ({ memberId: 'm', generationId: 1 }),
    seek: () => {},
  })
  await expect.poll(() => opened).toBe(1)
  stored = null
  await expect.poll(() => opened).toBe(2)
  await run.stop()
  expect(faults).toEqual([expect.objectContaining({ name: 'StateRefused', message: 'the state of s is at 0, this copy built on 6' })])
})
