import { encodeLines, type Origin, partitionOfProject, type RejectedLine, type Topic, topics } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'
import { joinLines } from './join-lines.ts'
import type { Line } from './sort-events.ts'

/** Lines of one request for one partition of events.accepted. */
export interface Parcel {
  readonly project: number
  readonly partition: number
  readonly origin: Origin
  readonly request: string
  readonly lines: readonly Line[]
}

export interface RejectedParcel {
  readonly project: number
  readonly origin: Origin
  readonly request: string
  readonly lines: readonly RejectedLine[]
}

/** What many requests brought, in as few records as hold it: one for each project and partition, each line under its own origin. */
export const acceptedRecords = (parcels: readonly Parcel[]): readonly NewRecord[] => records('events', topics.accepted, parcels)

export const rejectedRecords = (parcels: readonly RejectedParcel[]): readonly NewRecord[] =>
  parcels.flatMap(({ project, origin, request, lines }) => {
    const { context: _, ...bare } = origin
    const partition = partitionOfProject(project, topics.rejected.partitions)
    // One origin a record: whoever reads a refusal reads no others.
    return records('rejected', topics.rejected, [{ project, partition, origin: bare, request, lines: lines.map(lineOf) }])
  })

const lineOf = (refused: RejectedLine): Line => {
  const bytes = Buffer.from(JSON.stringify(refused))
  return { bytes, start: 0, end: bytes.length, added: null }
}

/** Kafka's default bound of a message is 1 MiB. */
const RECORD_BYTES_MAX = 512 << 10
/** About what an origin takes in the header beside its context. */
const ORIGIN_BYTES = 160

interface Draft {
  readonly origins: { origin: Origin; lines: number }[]
  readonly requests: string[]
  readonly lines: Line[]
  bytes: number
}

const records = (kind: 'events' | 'rejected', topic: Topic, parcels: readonly Parcel[]): readonly NewRecord[] => {
  const made: NewRecord[] = []
  for (const group of grouped(parcels)) {
    const { project, partition } = group[0]!
    let draft = emptyDraft()
    const close = (): void => {
      if (draft.lines.length > 0) made.push({ topic: topic.name, partition, key: String(project), value: encode(kind, project, draft) })
      draft = emptyDraft()
    }
    for (const { origin, request, lines } of group) {
      for (const line of lines) {
        if (draft.bytes + lengthOf(line) > RECORD_BYTES_MAX) close()
        add(draft, origin, request, line)
      }
    }
    close()
  }
  return made
}

const grouped = (parcels: readonly Parcel[]): Iterable<readonly Parcel[]> => {
  const groups = new Map<number, Parcel[]>()
  for (const parcel of parcels) {
    const name = parcel.project * 1024 + parcel.partition
    const group = groups.get(name)
    if (group) group.push(parcel)
    else groups.set(name, [parcel])
  }
  return groups.values()
}

const emptyDraft = (): Draft => ({ origins: [], requests: [], lines: [], bytes: 0 })

const add = (draft: Draft, origin: Origin, request: string, line: Line): void => {
  const last = draft.origins.at(-1)
  if (last && isSame(last.origin, origin)) last.lines++
  else {
    draft.origins.push({ origin, lines: 1 })
    draft.bytes += ORIGIN_BYTES + (origin.context ? JSON.stringify(origin.context).length : 0)
  }
  draft.requests.push(request)
  draft.lines.push(line)
  draft.bytes += lengthOf(line) + request.length
}

export const lengthOf = ({ start, end, added }: Line): number => end - start + (added?.length ?? 0)

const isSame = (a: Origin, b: Origin): boolean =>
  a === b || (a.receivedAt === b.receivedAt && a.sentAt === b.sentAt && a.source === b.source && a.protocol === b.protocol &&
    a.skewMs === b.skewMs && a.context === undefined && b.context === undefined)

const encode = (kind: 'events' | 'rejected', project: number, { origins, requests, lines }: Draft): Buffer =>
  encodeLines({
    kind, project, count: lines.length,
    origins: origins.length === 1 ? [origins[0]!.origin] : origins.map(({ origin, lines: count }) => ({ ...origin, lines: count })),
    requests: requests.every((request) => request === requests[0]) ? [requests[0]!] : requests,
  }, joinLines(lines))
