import type { Batch, Committed, ConsumeOptions, HotStore, LogRecord, PartitionConsumer, StateWrite } from '@millrace/ports'
import { StateRefused, StateUnfoldable } from '../state-refused.ts'
import type { Membership } from './patched-kafkajs.ts'
import type { Transaction } from './transactions.ts'

export interface PartitionDeps {
  readonly topic: string
  readonly partition: number
  readonly options: ConsumeOptions
  readonly hot: HotStore
  /** How often a partition without traffic looks whether its state is still there. Default 5,000. */
  readonly lookMs?: number
  committed(): Promise<Committed>
  /** The oldest offset that the log still has. */
  first(): Promise<number>
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
const LOOK_MS = 5_000
/** A fetch that was under way when the reader was put back is met at most twice. */
const STALE_FETCHES_MAX = 2

interface Stay {
  readonly consumer: PartitionConsumer
  readonly committed: Committed
  readonly position: { offset: number }
  /** The watermark that the consumer's memory stands on. */
  readonly built: { upTo: number }
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

  const woken = (ms: number): Promise<'woken' | 'late'> =>
    new Promise((resolve) => {
      // Said while nobody waited: it counts all the same.
      if (state.stopped || fresh) return resolve('woken')
      const timer = setTimeout(() => resolve('late'), ms)
      wake = () => {
        clearTimeout(timer)
        resolve('woken')
      }
    })

  const open = async (): Promise<Stay> => {
    const committed = await deps.committed()
    const position = { offset: committed.offset }
    membership = deps.membership()
    const declare = (metadata: string): Promise<void> =>
      deps.commit({ outputs: [], positions: [{ topic, partition, offset: position.offset, metadata }], membership })
    const consumer = await options.open({ topic, partition, committed, declare })
    await checkFoldable(consumer, committed)
    buffer = []
    end = next = expected = consumer.from
    stale = 0
    deps.seek(consumer.from)
    return { consumer, committed, position, built: { upTo: consumer.from } }
  }

  /** A lost state is folded again from the log, but not from one that has let its beginning go: what is missing would never be missed. */
  const checkFoldable = async ({ scope, from }: PartitionConsumer, committed: Committed): Promise<void> => {
    const first = scope === undefined ? 0 : await deps.first()
    // Who has committed nothing yet, or not beyond the first record, is new and begins where the log does.
    if (from >= first || committed.offset <= first) return
    throw new StateUnfoldable(`the state of ${scope} ends at ${from}, and ${topic}/${partition} begins at ${first}: restore the state, or the log, from a backup`)
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

  /** Refused when a copy that lost this partition wrote late, or when the store was flushed or went back: memory and store differ. */
  const keep = async ({ consumer, built }: Stay, state: StateWrite): Promise<void> => {
    if (consumer.scope !== state.scope) throw new Error(`the consumer of ${topic} writes the state of ${state.scope} without saying so when it opens`)
    if (!(await deps.hot.apply(state, built.upTo))) throw new StateRefused(`the state of ${state.scope} at ${state.watermark} was not taken over ${built.upTo}`)
    built.upTo = state.watermark
  }

  const look = async ({ consumer, built }: Stay): Promise<void> => {
    if (consumer.scope === undefined) return
    const stored = (await deps.hot.watermark(consumer.scope)) ?? 0
    if (stored !== built.upTo) throw new StateRefused(`the state of ${consumer.scope} is at ${stored}, this copy built on ${built.upTo}`)
  }

  const work = async (current: Stay, batch: Batch): Promise<void> => {
    const step = await current.consumer.handle(batch)
    if (!batch.replayed) {
      await deps.commit({ outputs: step.outputs, positions: [{ topic, partition, offset: batch.end, metadata: step.metadata ?? '' }], membership })
      current.position.offset = batch.end
    }
    if (step.state) await keep(current, step.state)
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
        else if (buffer.length > 0) await woken(options.lingerMs)
        else if ((await woken(deps.lookMs ?? LOOK_MS)) === 'late') await look(stay!)
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
