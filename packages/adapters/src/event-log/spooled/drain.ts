import { allTopics } from '@millrace/contracts'
import { LogUnavailable, type EventLog } from '@millrace/ports'
import { placeOf, type Ends } from './entry.ts'
import type { Gate } from './gate.ts'
import { foundInLog } from './look.ts'
import type { Held, SpoolStore } from './store.ts'

export interface DrainDeps {
  readonly log: Pick<EventLog, 'append' | 'read' | 'extents'>
  readonly store: SpoolStore
  readonly gate: Gate
  readonly isClosed: () => boolean
  /** Ends early when the spool is closed. */
  readonly pause: (ms: number) => Promise<void>
  readonly warn: (event: string, message: string) => void
  readonly drained: () => void
  readonly probe: (point: string) => void
  readonly batchBytesMax: number
  readonly backOff: { readonly firstMs: number; readonly mostMs: number }
  readonly settleMs: number
}

export interface Drain {
  /** Sends what waits until nothing does, then opens the gate. */
  run(): Promise<void>
  /** Ends as they were last measured: what is sent from now on is there or behind. */
  ends(): Ends
  measure(): Promise<void>
  /** An append was given up: it may still arrive. */
  disturb(): void
}

export const createDrain = (deps: DrainDeps): Drain => {
  const { log, store, gate, warn, probe, pause, batchBytesMax } = deps
  let ends: Ends = new Map()
  /** Nothing that was given up can still arrive, as far as time can tell. */
  let calm = false

  const measure = async (topics: Iterable<string>): Promise<void> => {
    const measured = await Promise.all([...new Set(topics)].map(async (topic) => (await log.extents(topic)).map(({ partition, next }) => [placeOf({ topic, partition }), next] as const)))
    ends = new Map([...ends, ...measured.flat()])
  }
  const measureAll = (): Promise<void> => measure(allTopics.map(({ name }) => name))
  /** Also of nothing: only a log that answers ends the spooling. */
  const measureFor = (batch: readonly Held[]): Promise<void> =>
    ends.size === 0 || batch.length === 0 ? measureAll() : measure(batch.map(({ record }) => record.topic))

  /** Takes those out that the log has. @returns those to send */
  const look = async (batch: readonly Held[]): Promise<readonly Held[]> => {
    const doubtful = batch.filter(({ mayBeFrom }) => mayBeFrom !== null)
    if (doubtful.length === 0) return batch
    if (!calm) {
      // What is given up meanwhile takes it back.
      calm = true
      await pause(deps.settleMs)
      await measureFor(batch)
    }
    const found = await foundInLog({ log, pause }, doubtful, ends)
    checkOpen(deps)
    if (found.length > 0) await store.remove(found)
    warn('spool.looked', `${doubtful.length} records were in doubt, the log had ${found.length} of them`)
    return batch.filter((held) => !found.includes(held))
  }
  /** Before it the note, so that whoever opens the spool after a kill looks for them. */
  const send = async (batch: readonly Held[]): Promise<void> => {
    await store.noteSending(batch.at(-1)!.sequence, ends)
    probe('spool.noted')
    await log.append(batch.map(({ record }) => record))
    probe('spool.sent')
    await store.remove(batch)
    probe('spool.removed')
  }
  /** @returns whether nothing waits any more, and the gate is open */
  const step = async (): Promise<boolean> => {
    const front = store.front(batchBytesMax)
    if (front.length === 0 && store.records() > 0) {
      // Taken, and not on disk yet.
      await store.settled()
      if (store.front(1).length === 0 && store.records() > 0) throw new Error(`the spool counts ${store.records()} records and finds none`)
      return false
    }
    await measureFor(front)
    checkOpen(deps)
    let batch = await look(front)
    // Under load something always comes: it waits for the last batch, and then goes straight to the log.
    if (store.bytes() <= batchBytesMax) {
      gate.hold()
      await store.settled()
      batch = [...batch, ...store.front(batchBytesMax).filter(({ sequence }) => sequence > (front.at(-1)?.sequence ?? 0))]
      // One that was under way and failed meanwhile: it is looked for first.
      batch = untilDoubt(batch, new Set(front.map(({ sequence }) => sequence)))
    }
    if (batch.length > 0) await send(batch)
    if (gate.isShut() || store.records() > 0) return false
    // In the turn that saw nothing wait: what is given up and kept in the next one finds an open gate, and sends itself.
    gate.open()
    deps.drained()
    return true
  }

  return {
    ends: () => ends,
    measure: measureAll,
    disturb: () => {
      calm = false
    },
    run: async () => {
      calm = false
      for (let pauseMs = deps.backOff.firstMs; !deps.isClosed(); ) {
        try {
          if (await step()) return
          gate.shut()
          pauseMs = deps.backOff.firstMs
        } catch (error) {
          calm = false
          gate.shut()
          if (deps.isClosed()) return
          warn('spool.waits', `${store.records()} records wait: ${(error as Error).message}`)
          await pause(pauseMs)
          pauseMs = Math.min(2 * pauseMs, deps.backOff.mostMs)
        }
      }
    },
  }
}

const untilDoubt = (batch: readonly Held[], looked: ReadonlySet<number>): readonly Held[] => {
  const doubt = batch.findIndex(({ sequence, mayBeFrom }) => mayBeFrom !== null && !looked.has(sequence))
  return doubt < 0 ? batch : batch.slice(0, doubt)
}

const checkOpen = ({ isClosed }: DrainDeps): void => {
  if (isClosed()) throw new LogUnavailable('LOG_CLOSED', 'the spool is closed')
}
