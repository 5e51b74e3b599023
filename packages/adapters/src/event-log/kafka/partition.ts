import type { Batch } from '@millrace/ports'
import { errorType } from './faults.ts'
import { cutBatch, pendingDeclaration } from './cut-batch.ts'
import type { Fetched } from './fetch.ts'
import type { FetchTarget } from './fetch-loop.ts'
import { PositionLost } from './position-lost.ts'
import type { Membership } from './repairs.ts'
import { commitAt, isTimeToLook, keep, look, LOOK_MS, openStay, type PartitionDeps, type Stay } from './stay.ts'

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

export const runPartition = (deps: PartitionDeps): PartitionRun => {
  const { topic, partition, options, probe } = deps
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
      await commitAt(deps, stay.member, step.outputs, position)
      probe(`step.after-commit:${options.group}`)
      stay.position = position
    }
    if (step.state) await keep(deps, stay, step.state)
    stay.consumer.stored?.(batch)
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
      if (isTimeToLook(deps, stay)) {
        await look(deps, stay)
        return false
      }
      const behind = stay.next > stay.position.offset
      const idleMs = IDLE_MS - (performance.now() - stay.filledAt)
      // A batch without records, not a commit alone: a consumer may name its next batch by where the last one ended.
      if (behind && idleMs <= 0) await work(stay, { records: [], end: stay.next, replayed: false, caughtUp: stay.caughtUp })
      else await sleep(Math.min(behind ? idleMs : IDLE_MS, deps.lookMs ?? LOOK_MS))
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
          state.stay = await openStay(deps, state.member)
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

  /** A declared batch must come whole, over the bounds of now, too; behind its end the bounds hold: a store that is away may keep it for hours. */
  const hasRoom = (stay: Stay): boolean =>
    (stay.buffer.length < 2 * options.batchRecordsMax && stay.bufferBytes < 2 * options.batchBytesMax) || stay.end < (pendingDeclaration(stay.next, stay.boundaries) ?? 0)

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
