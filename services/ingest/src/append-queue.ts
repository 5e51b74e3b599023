import { encodeRecord, type Origin, type RecordHeader, type RejectedLine, topics, partitionOfProject } from '@millrace/contracts'
import { type Clock, type EventLog, LogUnavailable, type NewRecord } from '@millrace/ports'

/** Lines of one request for one partition of events.accepted. */
interface Parcel {
  readonly project: number
  readonly partition: number
  readonly origin: Origin
  readonly request: string
  readonly lines: readonly Buffer[]
}

interface RejectedParcel {
  readonly project: number
  readonly origin: Origin
  readonly request: string
  readonly lines: readonly RejectedLine[]
}

export interface AppendQueue {
  /** Resolves when the log has everything of it. @throws LogUnavailable: nothing of it was taken */
  add(parcels: readonly Parcel[], rejected: RejectedParcel | null): Promise<void>
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
  bytes: number
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers what requests bring while the log is busy with earlier ones, and writes it with one append: a lone request
 * waits for nobody, and under load many share the log's cost. No timer is needed. Single events of many requests
 * share a record where they have the same origin.
 */
export const createAppendQueue = (
  deps: AppendQueueDeps,
  bounds: { readonly appendsOpenMax: number; readonly queuedBytesMax: number },
): AppendQueue => {
  let waiting: Waiting | null = null
  let queued = 0
  let appending = 0
  let scheduled = false
  const open = new Set<Promise<void>>()

  const schedule = (): void => {
    if (scheduled || waiting === null || appending >= bounds.appendsOpenMax) return
    scheduled = true
    // Whatever else has arrived on the sockets by now still comes along.
    setImmediate(() => {
      scheduled = false
      const batch = waiting
      waiting = null
      if (batch) void append(batch)
    })
  }
  const append = async (batch: Waiting): Promise<void> => {
    appending++
    const startedAt = deps.clock.now()
    try {
      await deps.log.append([...acceptedRecords(batch.parcels), ...batch.rejected.flatMap(rejectedRecords)])
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
    const batch = { parcels: [], rejected: [], bytes: 0, ...deferred() }
    open.add(batch.done)
    return batch
  }

  return {
    add: (parcels, rejected) => {
      const bytes = bytesOf(parcels, rejected)
      // A single request over the bound passes when nothing else waits; its size has a bound of its own.
      if (queued > 0 && queued + bytes > bounds.queuedBytesMax) {
        return Promise.reject(new LogUnavailable('LOG_BUSY', 'more events wait for the log than its bound allows'))
      }
      const batch = (waiting ??= openBatch())
      batch.parcels.push(...parcels)
      if (rejected) batch.rejected.push(rejected)
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

const bytesOf = (parcels: readonly Parcel[], rejected: RejectedParcel | null): number => {
  let bytes = 0
  for (const { lines } of parcels) for (const line of lines) bytes += line.length
  for (const line of rejected?.lines ?? []) bytes += line.bytes.length
  return bytes
}

const acceptedRecords = (parcels: readonly Parcel[]): readonly NewRecord[] => {
  const shared = new Map<string, Parcel[]>()
  for (const [index, parcel] of parcels.entries()) {
    const { project, partition, origin } = parcel
    // A context of its own makes a request's origin unlike any other.
    const apart = origin.context ? index : ''
    const name = `${project} ${partition} ${origin.receivedAt} ${origin.sentAt} ${origin.protocol} ${apart} ${origin.source}`
    const group = shared.get(name)
    if (group) group.push(parcel)
    else shared.set(name, [parcel])
  }
  return [...shared.values()].flatMap((group) => {
    const { project, partition, origin, request } = group[0]!
    const requests = group.length === 1 ? [request] : group.flatMap((parcel) => parcel.lines.map(() => parcel.request))
    return records(topics.accepted.name, partition, { kind: 'events', project, origins: [origin], requests }, group.flatMap(({ lines }) => lines))
  })
}

const rejectedRecords = ({ project, origin, request, lines }: RejectedParcel): readonly NewRecord[] => {
  const { context: _, ...bare } = origin
  const partition = partitionOfProject(project, topics.rejected.partitions)
  return records(topics.rejected.name, partition, { kind: 'rejected', project, origins: [bare], requests: [request] }, lines.map((line) => Buffer.from(JSON.stringify(line))))
}

/** Kafka's default bound of a message is 1 MiB. */
const RECORD_BYTES_MAX = 512 << 10

type Headed = Omit<RecordHeader, 'count'> & { readonly requests: readonly string[] }

const records = (topic: string, partition: number, header: Headed, lines: readonly Buffer[]): readonly NewRecord[] => {
  const made: NewRecord[] = []
  let from = 0
  let bytes = 0
  for (let index = 0; index <= lines.length; index++) {
    const size = lines[index]?.length ?? 0
    if (index > from && (index === lines.length || bytes + size > RECORD_BYTES_MAX)) {
      const requests = header.requests.length === 1 ? header.requests : header.requests.slice(from, index)
      made.push({ topic, partition, key: String(header.project), value: encodeRecord({ ...header, requests, count: index - from }, lines.slice(from, index)) })
      from = index
      bytes = 0
    }
    bytes += size
  }
  return made
}
