import type { Batch, Committed, ConsumeOptions, Extent, HotStore, LogRecord, PartitionConsumer, StateWrite } from '@millrace/ports'
import { StateRefused } from '../state-refused.ts'
import { errorType } from './client.ts'
import { cutBatch, pendingDeclaration, type Boundaries } from './cut-batch.ts'
import type { Fetched } from './fetch.ts'
import type { FetchTarget } from './fetch-loop.ts'
import { PositionLost } from './position-lost.ts'
import type { Membership } from './repairs.ts'
import type { Transaction } from './transactions.ts'

export interface PartitionDeps {
  readonly topic: string
  /** The topic's name in Kafka. */
  readonly kafkaTopic: string
  readonly partition: number
  readonly options: ConsumeOptions
  readonly hot: HotStore
  /** Of this assignment; `rejoin` brings the next. */
  readonly member: Membership
  /** The group's position; null when it never had one. */
  stored(): Promise<Committed | null>
  extent(): Promise<Extent>
  commit(transaction: Transaction): Promise<void>
  /** There is room again, or another offset is wanted. */
  wakeFetch(): void
  readonly probe: (point: string) => void
}

/** One partition between the fetches and the handler: buffers, cuts batches, commits, reopens after a fault. */
export interface PartitionRun extends FetchTarget {
  /** Resolves when everything below the offset is handled and stored; batches don't wait to fill meanwhile. */
  reach(offset: number): Promise<void>
  /** Forgets everything and opens again: the partition may have been somebody else's meanwhile. */
  rejoin(member: Membership): void
  stop(): Promise<void>
}

const BACK_OFF_MS = 50
const BACK_OFF_MS_MAX = 5_000
/** How long nothing may come before a position moves over markers alone, so that retention never passes it. */
const IDLE_MS = 1_000

/** From one opening to the next: all of it is forgotten together. */
interface Stay {
  readonly consumer: PartitionConsumer
  readonly member: Membership
  readonly boundaries: Boundaries
  position: Committed
  /** What this stay has written to each scope: the next write stands on it, so a store that went back is noticed. */
  readonly written: Map<string, number>
  buffer: LogRecord[]
  bufferBytes: number
  next: number
  end: number
  caughtUp: boolean
  filledAt: number
}

export const runPartition = (deps: PartitionDeps): PartitionRun => {
  const { topic, partition, options, hot, probe } = deps
  const state = { stopped: false, hurried: 0, member: deps.member, stay: null as Stay | null, failure: null as Error | null, wake: (): void => {} }
  const told = new Set<() => void>()
  const tell = (): void => [...told].forEach((tellOne) => tellOne())

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (state.stopped) return resolve()
      const timer = setTimeout(resolve, ms)
      state.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const open = async (): Promise<Stay> => {
    // Before the position is read: whoever owned the partition until now can commit no more under this pair.
    const { member } = state
    const stored = await deps.stored()
    const first = stored ? 0 : (await deps.extent()).first
    const committed = stored ?? { offset: first, metadata: '' }
    const declare = async (metadata: string): Promise<void> => {
      const position = { offset: opened?.position.offset ?? committed.offset, metadata }
      await commit({ outputs: [], position, member })
      if (opened) opened.position = position
    }
    let opened: Stay | null = null
    const consumer = await options.open({ topic, partition, committed, declare })
    if (consumer.from > committed.offset) {
      await consumer.close()
      throw new Error(`${options.group} would start at ${consumer.from}, behind its position ${committed.offset}`)
    }
    // A group that begins has lost nothing of what was deleted before; one that has a position has.
    const from = Math.max(consumer.from, first)
    opened = {
      consumer, member, boundaries: { committed: committed.offset, declaredEnd: consumer.firstBatchEnd }, position: committed, written: new Map(),
      buffer: [], bufferBytes: 0, next: from, end: from, caughtUp: false, filledAt: 0,
    }
    return opened
  }

  const commit = ({ outputs, position, member }: { outputs: Transaction['outputs']; position: Committed; member: Membership }): Promise<void> =>
    deps.commit({ outputs, positions: [{ topic, partition, ...position }], membership: member })

  const close = async (): Promise<void> => {
    const closing = state.stay
    state.stay = null
    state.failure = null
    await closing?.consumer.close()
  }

  const work = async (stay: Stay, batch: Batch): Promise<void> => {
    const step = await stay.consumer.handle(batch)
    if (!batch.replayed) {
      const position = { offset: batch.end, metadata: step.metadata ?? '' }
      probe(`step.before-commit:${options.group}`)
      await commit({ outputs: step.outputs, position, member: stay.member })
      probe(`step.after-commit:${options.group}`)
      stay.position = position
    }
    if (step.state) await store(stay, step.state)
    stay.consumer.stored?.(batch)
  }

  /** Refused when a copy that lost this partition wrote late, or the store lost something: this one's memory is not what is stored. */
  const store = async ({ written }: Stay, write: StateWrite): Promise<void> => {
    const over = written.get(write.scope) ?? (await hot.watermark(write.scope)) ?? 0
    if (!(await hot.apply(write, over))) throw new StateRefused(`the state of ${write.scope} at ${write.watermark} was not taken`)
    written.set(write.scope, write.watermark)
  }

  const passed = (stay: Stay, batch: Batch): void => {
    stay.buffer = stay.buffer.slice(batch.records.length)
    stay.bufferBytes -= batch.records.reduce((sum, { value }) => sum + value.length, 0)
    stay.next = batch.end
    stay.filledAt = performance.now()
    deps.wakeFetch()
    tell()
  }

  /** True when something was done; else it has waited. */
  const turn = async (stay: Stay): Promise<boolean> => {
    const cut = stay.end > stay.next ? cutBatch(stay, stay.boundaries, options) : null
    if (!cut) {
      const behind = stay.next > stay.position.offset
      const idleMs = IDLE_MS - (performance.now() - stay.filledAt)
      if (!behind || idleMs > 0) await sleep(behind ? idleMs : IDLE_MS)
      // A batch without records, not a commit alone: a consumer may name its next batch by where the last one ended.
      else await work(stay, { records: [], end: stay.next, replayed: false, caughtUp: stay.caughtUp })
      return false
    }
    const lingerMs = options.lingerMs - (performance.now() - stay.filledAt)
    if (!cut.full && cut.batch.records.length > 0 && lingerMs > 0 && state.hurried === 0) {
      await sleep(lingerMs)
      return false
    }
    if (cut.batch.records.length > 0) await work(stay, cut.batch)
    passed(stay, cut.batch)
    return true
  }

  const run = async (): Promise<void> => {
    let backOff = BACK_OFF_MS
    while (!state.stopped) {
      try {
        if (state.failure) throw await explain(state.failure)
        if (state.stay?.member !== state.member) {
          await close()
          state.stay = await open()
          deps.wakeFetch()
          tell()
        } else if (await turn(state.stay)) backOff = BACK_OFF_MS
      } catch (error) {
        await close().catch((fault: unknown) => options.onFault(fault, { topic, partition }))
        if (state.stopped) return
        options.onFault(error, { topic, partition })
        await sleep(backOff)
        backOff = Math.min(backOff * 2, BACK_OFF_MS_MAX)
      }
    }
  }

  const explain = async (error: Error): Promise<Error> =>
    errorType(error) === 'OFFSET_OUT_OF_RANGE' && state.stay ? new PositionLost(options.group, topic, state.stay.end, await deps.extent()) : error

  const hasRoom = (stay: Stay): boolean =>
    (stay.buffer.length < 2 * options.batchRecordsMax && stay.bufferBytes < 2 * options.batchBytesMax) || pendingDeclaration(stay.next, stay.boundaries) !== null

  const done = run()
  return {
    topic: deps.kafkaTopic,
    partition,
    wants: () => {
      const { stay } = state
      return stay !== null && stay.member === state.member && !state.stopped && !state.failure && hasRoom(stay) ? stay.end : null
    },
    push({ records, next, lastStable }: Fetched) {
      const stay = state.stay!
      if (stay.buffer.length === 0) stay.filledAt = performance.now()
      for (const { offset, value } of records) {
        stay.buffer.push({ topic, partition, offset, value })
        stay.bufferBytes += value.length
      }
      const moved = next > stay.end
      stay.end = next
      stay.caughtUp = next >= lastStable
      if (moved) state.wake()
    },
    fail(error) {
      state.failure = error
      state.wake()
    },
    async reach(offset) {
      state.hurried++
      state.wake()
      try {
        while (!state.stopped && !(state.stay !== null && state.stay.next >= offset)) {
          await new Promise<void>((resolve) => {
            const tellOne = (): void => {
              told.delete(tellOne)
              resolve()
            }
            told.add(tellOne)
          })
        }
        if (state.stopped) throw new Error('the subscription was stopped before everything was handled')
      } finally {
        state.hurried--
      }
    },
    rejoin(member) {
      state.member = member
      state.wake()
    },
    async stop() {
      state.stopped = true
      state.wake()
      await done
      await close().catch((fault: unknown) => options.onFault(fault, { topic, partition }))
      tell()
    },
  }
}
