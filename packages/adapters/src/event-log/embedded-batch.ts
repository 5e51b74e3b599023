import type { Batch, PartitionConsumer } from '@millrace/ports'
import type { PartitionSetup, Progress } from './embedded-partition.ts'
import { readExtent, readRecords } from './embedded-records.ts'

/** Commits wake the loop; this only bounds how long a lost wake-up could go unnoticed. */
const FALLBACK_MS = 5_000

/** Waits for the batch that starts at `from`. Undefined when stopped. */
export const nextBatch = async (
  setup: PartitionSetup, progress: Progress, consumer: PartitionConsumer, committed: number, from: number,
): Promise<Batch | undefined> => {
  const until = from === committed && consumer.firstBatchEnd !== undefined ? consumer.firstBatchEnd : 0
  if (from < committed) return readBatch(setup, from, committed, true)
  if (until > from) return (await waitFor(setup, progress, until)) ? readExactly(setup, from, until) : undefined
  if (!(await waitFor(setup, progress, from + 1))) return undefined
  await fill(setup, progress, from)
  return progress.stopped ? undefined : readBatch(setup, from, nextOf(setup), false)
}

const nextOf = ({ root, topic, partition }: PartitionSetup): number => readExtent(root, topic, partition).next

/** True when all records below `offset` are there, false when stopped. */
const waitFor = async (setup: PartitionSetup, progress: Progress, offset: number): Promise<boolean> => {
  while (!progress.stopped && nextOf(setup) < offset) await setup.wakeUps.wait(setup.topic, setup.partition, FALLBACK_MS)
  return !progress.stopped
}

/** Lets a batch fill until it is full by records, the linger is over, or somebody waits for the end. */
const fill = async (setup: PartitionSetup, progress: Progress, from: number): Promise<void> => {
  const { lingerMs, batchRecordsMax } = setup.consume
  const until = performance.now() + lingerMs
  const full = (): boolean => nextOf(setup) - from >= batchRecordsMax
  while (!progress.stopped && progress.hurried === 0 && !full()) {
    const left = until - performance.now()
    if (left <= 0) return
    await setup.wakeUps.wait(setup.topic, setup.partition, left)
  }
}

const readBatch = (setup: PartitionSetup, from: number, to: number, replayed: boolean): Batch => {
  const { batchRecordsMax: recordsMax, batchBytesMax: bytesMax } = setup.consume
  const records = readRecords(setup.root, setup.topic, setup.partition, from, to, { recordsMax, bytesMax })
  // No record is left between `from` and `to`: retention took them, so the batch only moves on.
  const end = records.length > 0 ? records.at(-1)!.offset + 1 : to
  return { records, end, replayed, caughtUp: end >= nextOf(setup) }
}

// A declared batch is taken whole, whatever the bounds: its side effect may have happened with just these records.
const readExactly = (setup: PartitionSetup, from: number, until: number): Batch => {
  const bounds = { recordsMax: Infinity, bytesMax: Infinity }
  const records = readRecords(setup.root, setup.topic, setup.partition, from, until, bounds)
  return { records, end: until, replayed: false, caughtUp: until >= nextOf(setup) }
}
