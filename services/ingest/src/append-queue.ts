import { type Clock, type EventLog, LogUnavailable, type NewRecord } from '@millrace/ports'
import { acceptedRecords, lengthOf, type Parcel, type RejectedParcel, rejectedRecords } from './domain/records-of.ts'

/** A callback and no promise: there is one for each request, and each is held until the log answers. */
export type Done = (fault: unknown) => void

/** What one request brings. */
interface Brought {
  readonly parcels: readonly Parcel[]
  readonly rejected: RejectedParcel | null
  readonly commands: readonly NewRecord[] | null
}

export interface AppendQueue {
  /** `done` is called when the log has everything of it, or with the fault: then nothing of it was taken. @throws LogUnavailable when full */
  add(brought: Brought, done: Done): void
  queuedBytes(): number
  /** Resolves when nothing waits any more. */
  drain(): Promise<void>
}

export interface AppendQueueDeps {
  readonly log: EventLog
  readonly clock: Clock
  readonly onAppended: (bytes: number, ms: number) => void
  readonly onFailed: (error: unknown) => void
}

interface Waiting {
  readonly parcels: Parcel[]
  readonly rejected: RejectedParcel[]
  readonly commands: NewRecord[]
  readonly done: Done[]
  bytes: number
}

/**
 * Gathers what requests bring and writes it with one append: a lone request waits for nobody, and under load many share
 * the log's cost, since an append begins only some milliseconds after the one before, and only so many are under way.
 */
export const createAppendQueue = (
  deps: AppendQueueDeps,
  bounds: { readonly appendsOpenMax: number; readonly appendEveryMs: number; readonly queuedBytesMax: number },
): AppendQueue => {
  let waiting: Waiting | null = null
  let queued = 0
  let appending = 0
  let scheduled = false
  let beganAt = -Infinity
  let idle: (() => void)[] = []

  const schedule = (): void => {
    if (scheduled || waiting === null || appending >= bounds.appendsOpenMax) return
    scheduled = true
    const early = beganAt + bounds.appendEveryMs - deps.clock.now()
    // Whatever else has arrived on the sockets by now still comes along. A clock that was set back delays nothing.
    if (early <= 0 || early > bounds.appendEveryMs) setImmediate(begin)
    else deps.clock.after(early, begin)
  }
  const begin = (): void => {
    scheduled = false
    const batch = waiting
    waiting = null
    if (batch) void append(batch)
  }
  const append = async (batch: Waiting): Promise<void> => {
    appending++
    beganAt = deps.clock.now()
    const fault = await written(batch)
    queued -= batch.bytes
    appending--
    for (const done of batch.done) done(fault)
    schedule()
    if (appending > 0 || waiting !== null) return
    for (const resolve of idle) resolve()
    idle = []
  }
  const written = async (batch: Waiting): Promise<unknown> => {
    const startedAt = deps.clock.now()
    try {
      await deps.log.append([...acceptedRecords(batch.parcels), ...batch.commands, ...rejectedRecords(batch.rejected)])
      deps.onAppended(batch.bytes, deps.clock.now() - startedAt)
      return null
    } catch (error) {
      deps.onFailed(error)
      return error
    }
  }

  return {
    add: (brought, done) => {
      const bytes = bytesOf(brought)
      // A single request over the bound passes when nothing else waits; its size has a bound of its own.
      if (queued > 0 && queued + bytes > bounds.queuedBytesMax) {
        throw new LogUnavailable('LOG_BUSY', 'more events wait for the log than its bound allows')
      }
      const batch = (waiting ??= { parcels: [], rejected: [], commands: [], done: [], bytes: 0 })
      for (const parcel of brought.parcels) batch.parcels.push(parcel)
      if (brought.rejected) batch.rejected.push(brought.rejected)
      if (brought.commands) batch.commands.push(...brought.commands)
      batch.done.push(done)
      batch.bytes += bytes
      queued += bytes
      schedule()
    },
    queuedBytes: () => queued,
    drain: () => new Promise((resolve) => (appending === 0 && waiting === null ? resolve() : idle.push(resolve))),
  }
}

const bytesOf = ({ parcels, rejected, commands }: Brought): number => {
  let bytes = 0
  for (const { lines } of parcels) for (const line of lines) bytes += lengthOf(line)
  for (const line of rejected?.lines ?? []) bytes += line.bytes.length
  for (const { value } of commands ?? []) bytes += value.length
  return bytes
}
