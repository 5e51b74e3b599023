import type { Batch, Committed, ConsumeOptions, HotStore, LogRecord, PartitionConsumer } from '@millrace/ports'
import { StateRefused } from '../state-refused.ts'
import type { Membership } from './patched-kafkajs.ts'
import type { Transaction } from './transactions.ts'

export interface PartitionDeps {
  readonly topic: string
  readonly partition: number
  readonly options: ConsumeOptions
  readonly hot: HotStore
  committed(): Promise<Committed>
  commit(transaction: Transaction): Promise<void>
  /** Who this copy is now; a batch keeps the pair of its arrival. */
  membership(): Membership
  /** Puts the reader of this partition back to an offset. */
  seek(offset: number): void
}

/** What a fetch brought. `end` lies behind its last record, markers included. */
interface Fetched {
  readonly fetchedFrom: number
  readonly records: readonly LogRecord[]
  readonly end: number
  readonly caughtUp: boolean
}

/** One partition between the fetches of kafkajs and the handler: buffers, cuts batches, commits, reopens after a fault. */
export interface PartitionRun {
  /** Resolves when there is room for the next fetch. */
  push(fetched: Fetched): Promise<void>
  isIdle(): boolean
  /** Forgets everything and opens again: the partition may have been somebody else's meanwhile. */
  rejoin(): void
  stop(): Promise<void>
}

const BACK_OFF_MS = 50
const BACK_OFF_MS_MAX = 5_000
/** A fetch that was under way when the reader was put back is met at most twice. */
const STALE_FETCHES_MAX = 2

interface Stay {
  readonly consumer: PartitionConsumer
  readonly committed: Committed
  readonly position: { offset: number }
}

export const runPartition = (deps: PartitionDeps): PartitionRun => {
  const { topic, partition, options } = deps
  let buffer: LogRecord[] = []
  let end = 0
  let next = 0
  let expected: number | null = null
  let stale = 0
  let caughtUp = false
  let filledAt = 0
  let stay: Stay | null = null
  let membership = deps.membership()
  let fresh = true
  const state = { stopped: false }
  let busy = true
  let wake = (): void => {}

  const woken = (ms?: number): Promise<void> =>
    new Promise((resolve) => {
      // Said while nobody waited: it counts all the same.
      if (state.stopped || fresh) return resolve()
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const open = async (): Promise<Stay> => {
    const committed = await deps.committed()
    const position = { offset: committed.offset }
    membership = deps.membership()
    const declare = (metadata: string): Promise<void> =>
      deps.commit({ outputs: [], positions: [{ topic, partition, offset: position.offset, metadata }], membership })
    const consumer = await options.open({ topic, partition, committed, declare })
    buffer = []
    end = next = expected = consumer.from
    stale = 0
    deps.seek(consumer.from)
    return { consumer, committed, position }
  }

  const close = async (): Promise<void> => {
    const closing = stay
    stay = null
    buffer = []
    await closing?.consumer.close()
  }

  /** The next batch, or null while it may still fill. */
  const take = ({ consumer, committed }: Stay): Batch | null => {
    if (end <= next) return null
    let bytes = 0
    let count = 0
    let cut = end
    let full = false
    const declaredEnd = consumer.firstBatchEnd !== undefined && next < consumer.firstBatchEnd && next >= committed.offset ? consumer.firstBatchEnd : null
    for (const record of buffer) {
      const isBoundary = count > 0 && (record.offset === committed.offset || record.offset === declaredEnd)
      const isFull = declaredEnd === null && (count >= options.batchRecordsMax || (count > 0 && bytes + record.value.length > options.batchBytesMax))
      if (isBoundary || isFull) {
        cut = record.offset
        full = true
        break
      }
      bytes += record.value.length
      count++
    }
    // A boundary need not be a record's own offset: markers lie between.
    for (const boundary of [committed.offset, declaredEnd ?? 0]) if (next < boundary && boundary < cut) cut = boundary
    if (declaredEnd !== null && cut < declaredEnd) return null
    full ||= count >= options.batchRecordsMax || cut < end || cut <= committed.offset || declaredEnd !== null
    if (!full && performance.now() - filledAt < options.lingerMs) return null
    const records = buffer.filter((record) => record.offset < cut)
    return { records, end: cut, replayed: cut <= committed.offset, caughtUp: caughtUp && cut === end }
  }

  const work = async (current: Stay, batch: Batch): Promise<void> => {
    const step = await current.consumer.handle(batch)
    if (!batch.replayed) {
      await deps.commit({ outputs: step.outputs, positions: [{ topic, partition, offset: batch.end, metadata: step.metadata ?? '' }], membership })
      current.position.offset = batch.end
    }
    // A copy that lost this partition wrote late: what is stored is ahead of this one's memory.
    if (step.state && !(await deps.hot.apply(step.state))) throw new StateRefused(`the state of ${step.state.scope} at ${step.state.watermark} was not taken`)
    current.consumer.stored?.(batch)
    buffer = buffer.slice(batch.records.length)
    next = batch.end
    filledAt = performance.now()
  }

  const run = async (): Promise<void> => {
    let backOff = BACK_OFF_MS
    while (!state.stopped) {
      try {
        if (fresh || stay === null) {
          fresh = false
          busy = true
          await close()
          stay = await open()
        }
        const batch = take(stay!)
        busy = batch !== null || buffer.length > 0
        if (batch) await work(stay!, batch)
        else await woken(buffer.length > 0 ? options.lingerMs : undefined)
        if (batch) backOff = BACK_OFF_MS
      } catch (error) {
        busy = true
        await close().catch(() => undefined)
        if (state.stopped) return
        options.onFault(error, { topic, partition })
        fresh = false
        await woken(backOff)
        backOff = Math.min(backOff * 2, BACK_OFF_MS_MAX)
      }
      if (batchFits()) release()
    }
  }

  let release = (): void => {}
  const batchFits = (): boolean => buffer.length < 2 * options.batchRecordsMax
  const done = run()
  return {
    async push(fetched) {
      if (state.stopped || stay === null || expected === null) return
      if (fetched.fetchedFrom !== expected && stale < STALE_FETCHES_MAX && (fetched.fetchedFrom > expected || fetched.end <= expected)) {
        // Fetched before the reader was put back. A fetch that keeps coming back is the right one: only markers lay between.
        stale++
        deps.seek(expected)
        return
      }
      stale = 0
      if (buffer.length === 0) filledAt = performance.now()
      buffer.push(...fetched.records.filter(({ offset }) => offset >= expected!))
      end = Math.max(end, fetched.end)
      expected = end
      caughtUp = fetched.caughtUp
      busy = true
      wake()
      if (!batchFits()) await new Promise<void>((resolve) => (release = resolve))
    },
    isIdle: () => !busy,
    rejoin() {
      fresh = true
      release()
      wake()
    },
    async stop() {
      state.stopped = true
      release()
      wake()
      await done
      await close()
    },
  }
}
