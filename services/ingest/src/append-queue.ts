import { type Clock, type EventLog, LogUnavailable, type NewRecord } from '@millrace/ports'
import { acceptedRecords, type Parcel, type RejectedParcel, rejectedRecords } from './domain/records-of.ts'

/** What one request brings. */
interface Brought {
  readonly parcels: readonly Parcel[]
  readonly rejected?: RejectedParcel
  readonly commands?: readonly NewRecord[]
}

export interface AppendQueue {
  /** Resolves when the log has everything of it. @throws LogUnavailable: nothing of it was taken */
  add(brought: Brought): Promise<void>
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
  bytes: number
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
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
  const open = new Set<Promise<void>>()

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
    const startedAt = deps.clock.now()
    beganAt = startedAt
    try {
      await deps.log.append([...acceptedRecords(batch.parcels), ...batch.commands, ...rejectedRecords(batch.rejected)])
      deps.onAppended(batch.bytes, deps.clock.now() - startedAt)
      batch.resolve()
    } catch (error) {
      deps.onFailed(error)
      batch.reject(error)
    } finally {
      queued -= batch.bytes
      open.delete(batch.done)
      appending--
      schedule()
    }
  }
  const openBatch = (): Waiting => {
    const batch = { parcels: [], rejected: [], commands: [], bytes: 0, ...deferred() }
    open.add(batch.done)
    return batch
  }

  return {
    add: (brought) => {
      const bytes = bytesOf(brought)
      // A single request over the bound passes when nothing else waits; its size has a bound of its own.
      if (queued > 0 && queued + bytes > bounds.queuedBytesMax) {
        return Promise.reject(new LogUnavailable('LOG_BUSY', 'more events wait for the log than its bound allows'))
      }
      const batch = (waiting ??= openBatch())
      for (const parcel of brought.parcels) batch.parcels.push(parcel)
      if (brought.rejected) batch.rejected.push(brought.rejected)
      if (brought.commands) batch.commands.push(...brought.commands)
      batch.bytes += bytes
      queued += bytes
      schedule()
      return batch.done
    },
    queuedBytes: () => queued,
    drain: async () => {
      while (open.size > 0) await Promise.allSettled(open)
    },
  }
}

const deferred = () => {
  let resolve!: () => void
  let reject!: (error: unknown) => void
  const done = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  // Each request handles it; one whose client has gone must not end the process.
  done.catch(() => {})
  return { done, resolve, reject }
}

const bytesOf = ({ parcels, rejected, commands = [] }: Brought): number => {
  let bytes = 0
  for (const { lines } of parcels) for (const line of lines) bytes += line.length
  for (const line of rejected?.lines ?? []) bytes += line.bytes.length
  for (const { value } of commands) bytes += value.length
  return bytes
}
