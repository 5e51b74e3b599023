import type { HotStore, PartitionConsumer, StateWrite } from '@millrace/ports'
import { expect, it } from 'vitest'
import { StateRefused } from '../state-refused.ts'
import { runPartition } from './partition.ts'

const fetched = (from: number, offsets: readonly number[], next: number) => ({
  topic: 't', partition: 0, from, records: offsets.map((offset) => ({ offset, value: Buffer.of(1) })), next, lastStable: next, first: 0,
})

it('discards what a consumer has in memory when its state is refused, and begins again from what is stored', async () => {
  const faults: unknown[] = []
  const opened: number[] = []
  let stored = 0
  let committed = 0
  // The late write of a copy that lost the partition: ahead of what this one folds first.
  const late = [5]
  const hot = {
    watermark: async () => stored,
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
    kafkaTopic: 't',
    partition: 0,
    hot,
    member: { memberId: 'm', generationId: 1 },
    options: {
      group: 'g', topics: ['t'], batchRecordsMax: 10, batchBytesMax: 1_000, lingerMs: 0,
      open: async () => {
        opened.push(stored)
        return consumer(stored)
      },
      onFault: (error) => void faults.push(error),
    },
    stored: async () => ({ offset: committed, metadata: '' }),
    extent: async () => ({ partition: 0, first: 0, next: 9 }),
    // The other copy had committed what it wrote.
    commit: async ({ positions }) => void (committed = Math.max(positions[0]!.offset, 5)),
    wakeFetch: () => {},
    probe: () => {},
  })
  await expect.poll(() => run.wants()).toBe(0)
  run.push(fetched(0, [0, 1, 2], 3))
  await expect.poll(() => opened).toEqual([0, 5])
  await expect.poll(() => run.wants()).toBe(5)
  run.push(fetched(5, [5], 6))
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
    topic: 't', kafkaTopic: 't', partition: 0, hot, member: { memberId: 'm', generationId: 1 },
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
    stored: async () => ({ offset: 6, metadata: '' }),
    extent: async () => ({ partition: 0, first: 3, next: 9 }),
    commit: async () => {},
    wakeFetch: () => {},
    probe: () => {},
  })
  await expect.poll(() => faults.map((fault) => (fault as Error).message)).toEqual([expect.stringContaining('the state of s ends at 0, and t/0 begins at 3')])
  await expect.poll(() => run.wants()).toBe(4)
  run.push(fetched(4, [4, 5, 6], 7))
  await expect.poll(() => overs).toEqual([4, 5, 6])
  await run.stop()
})

it('notices without traffic that its state is gone', async () => {
  const faults: unknown[] = []
  let stored: number | null = 6
  let opened = 0
  const run = runPartition({
    topic: 't', kafkaTopic: 't', partition: 0, lookMs: 5, member: { memberId: 'm', generationId: 1 },
    hot: { watermark: async () => stored } as unknown as HotStore,
    options: {
      group: 'g', topics: ['t'], batchRecordsMax: 1, batchBytesMax: 1_000, lingerMs: 0,
      open: async () => ({ from: (opened++, stored ?? 0), scope: 's', handle: async () => ({ outputs: [] }), close: async () => {} }),
      onFault: (error) => void faults.push(error),
    },
    stored: async () => ({ offset: 6, metadata: '' }),
    extent: async () => ({ partition: 0, first: 0, next: 9 }),
    commit: async () => {},
    wakeFetch: () => {},
    probe: () => {},
  })
  await expect.poll(() => opened).toBe(1)
  stored = null
  await expect.poll(() => opened).toBe(2)
  await run.stop()
  expect(faults).toEqual([expect.objectContaining({ name: 'StateRefused', message: 'the state of s is at 0, this copy built on 6' })])
})

it('reads a declared batch whole, over the bounds, too, and takes no more behind it than they allow while it is handled', async () => {
  let handled: readonly number[] = []
  let release = (): void => {}
  const away = new Promise<void>((resolve) => (release = resolve))
  const run = runPartition({
    topic: 't', kafkaTopic: 't', partition: 0, hot: {} as HotStore, member: { memberId: 'm', generationId: 1 },
    options: {
      group: 'g', topics: ['t'], batchRecordsMax: 1, batchBytesMax: 1_000, lingerMs: 0,
      open: async () => ({
        from: 0, firstBatchEnd: 4,
        handle: async ({ records }) => {
          handled = records.map(({ offset }) => offset)
          await away
          return { outputs: [] }
        },
        close: async () => {},
      }),
      onFault: (error) => expect.unreachable(String(error)),
    },
    stored: async () => ({ offset: 0, metadata: '' }),
    extent: async () => ({ partition: 0, first: 0, next: 9 }),
    commit: async () => {},
    wakeFetch: () => {},
    probe: () => {},
  })
  await expect.poll(() => run.wants()).toBe(0)
  run.push(fetched(0, [0, 1, 2], 3))
  expect(run.wants()).toBe(3)
  run.push(fetched(3, [3], 4))
  await expect.poll(() => handled).toEqual([0, 1, 2, 3])
  expect(run.wants()).toBe(null)
  release()
  await expect.poll(() => run.wants()).toBe(4)
  await run.stop()
})
