import { isUtf8 } from 'node:buffer'
import {
  type Accepted, acceptEvent, type Fields, filedKeyOf, homeOf, messageIdOf, type Origin, ownMessageId, type Project, readLine, refuse,
  type Refusal, type RejectedLine, shardOf, topics,
} from '@millrace/contracts'
import { type Slice, sliceOfBody } from './split-batch.ts'

/** One event of a request: read, and as it was sent. */
export interface SentEvent {
  readonly raw: unknown
  readonly bytes: Buffer
  readonly depth: number
  /** Found while it was read: it goes no further. */
  readonly refusal?: Refusal
}

export interface RejectedEvent {
  readonly index: number
  readonly refusal: Refusal
  readonly line: RejectedLine
}

/** A request's events: the lines for each home partition, and what is refused. */
export interface Sorted {
  readonly accepted: number
  readonly byPartition: ReadonlyMap<number, Buffer[]>
  readonly rejected: readonly RejectedEvent[]
}

export interface DoorBounds {
  readonly eventBytesMax: number
  readonly rejectedBytesMax: number
}

const DEPTH_MAX = 64

export interface Arrived {
  readonly origin: Origin
  readonly project: Project
  /** What is put at the end of each event: where a user's own device called from. */
  readonly peer: Buffer | null
}

/** Checks each event on its own, so that a bad one never harms its neighbours. `newId` names events that have no id. */
export const sortEvents = (events: readonly SentEvent[], arrived: Arrived, bounds: DoorBounds, newId: () => string): Sorted => {
  const byPartition = new Map<number, Buffer[]>()
  const rejected: RejectedEvent[] = []
  for (const [index, event] of events.entries()) {
    const accepted = event.refusal ?? checkBytes(event, bounds) ?? acceptEvent(readLine(arrived.origin.protocol, event.raw), arrived.origin)
    if (!accepted.ok) {
      rejected.push({ index, refusal: accepted, line: rejectedLine(accepted, event, bounds) })
      continue
    }
    const { partition, line } = file(event.bytes, accepted, arrived, newId)
    const lines = byPartition.get(partition)
    if (lines) lines.push(line)
    else byPartition.set(partition, [line])
  }
  return { accepted: events.length - rejected.length, byPartition, rejected }
}

const checkBytes = ({ bytes, depth }: SentEvent, bounds: DoorBounds): Refusal | null => {
  if (bytes.length > bounds.eventBytesMax) return refuse('EVENT_TOO_LARGE', `the event has ${bytes.length} bytes`)
  if (depth > DEPTH_MAX) return refuse('EVENT_TOO_DEEP', `the event is nested ${depth} deep`)
  return isUtf8(bytes) ? null : refuse('INVALID_UTF8')
}

const file = (bytes: Buffer, { raw }: Accepted, { origin, project, peer }: Arrived, newId: () => string) => {
  const given = ownMessageId(raw) === null ? newId() : null
  const key = filedKeyOf(project, { userId: raw['userId'], anonymousId: raw['anonymousId'], messageId: given ?? messageIdOf(origin, raw) })
  const named = given === null ? bytes : withField(bytes, 'messageId', given)
  return { partition: homeOf(shardOf(project.id, key), topics.accepted.partitions), line: peer === null ? named : withEnd(named, peer) }
}

/** The event with one more field at its end; of two fields with one name, JSON.parse takes the last. */
export const withField = (bytes: Buffer, name: string, value: string): Buffer =>
  withEnd(bytes, Buffer.from(`,${JSON.stringify(name)}:${JSON.stringify(value)}}`))

const withEnd = (bytes: Buffer, end: Buffer): Buffer => Buffer.concat([bytes.subarray(0, bytes.lastIndexOf(0x7d)), end])

/** What is kept of a refusal; over the bound the detail says how much is missing. */
export const rejectedLine = (refusal: Refusal, { raw, bytes }: Pick<SentEvent, 'raw' | 'bytes'>, bounds: DoorBounds): RejectedLine => {
  const cut = bytes.length > bounds.rejectedBytesMax
  return {
    code: refusal.code,
    detail: cut ? `${refusal.detail} (the first ${bounds.rejectedBytesMax} of ${bytes.length} bytes are kept)` : refusal.detail,
    bytes: bytes.subarray(0, bounds.rejectedBytesMax).toString('base64'),
    messageId: typeof raw === 'object' && raw !== null ? ownMessageId(raw as Fields)?.slice(0, 256) ?? null : null,
  }
}

/** The bytes of each event where the splitter agrees with JSON.parse, else the event written anew. */
export const sentEvents = (batch: readonly unknown[], body: Buffer, slices: readonly Slice[] | null): readonly SentEvent[] =>
  slices?.length === batch.length
    ? batch.map((raw, index) => ({ raw, bytes: body.subarray(slices[index]!.start, slices[index]!.end), depth: slices[index]!.depth }))
    : batch.map(rewritten)

/** An event that was not sent as JSON of its own, written so. */
export const rewritten = (raw: unknown): SentEvent => {
  try {
    const bytes = Buffer.from(JSON.stringify(raw))
    return { raw, bytes, depth: sliceOfBody(bytes).depth }
  } catch {
    // Nested so deeply that it cannot be written again.
    return { raw, bytes: Buffer.alloc(0), depth: Number.POSITIVE_INFINITY }
  }
}
