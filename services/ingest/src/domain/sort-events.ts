import { isUtf8 } from 'node:buffer'
import {
  type Accepted, acceptEvent, type Fields, filedKeyOf, homeOf, messageIdOf, type Origin, ownMessageId, type Project, readLine, refuse,
  type Refusal, type RejectedLine, shardOf, topics,
} from '@millrace/contracts'
import { DEPTH_MAX, skipSpace } from './json-scan.ts'
import type { SentEvent } from './sent-event.ts'
import type { Slice } from './split-batch.ts'

/** One line of a record to be: the sender's own bytes, and what ingest adds before their last brace. */
export interface Line {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly added: Buffer | null
}

export interface RejectedEvent {
  readonly index: number
  readonly refusal: Refusal
  readonly line: RejectedLine
}

/** A request's events: the lines for each home partition, and what is refused. */
export interface Sorted {
  readonly accepted: number
  /** By number of the partition; some are empty. */
  readonly byPartition: readonly (readonly Line[] | undefined)[]
  readonly rejected: readonly RejectedEvent[]
}

export interface DoorBounds {
  readonly eventBytesMax: number
  readonly rejectedBytesMax: number
}

export interface Arrived {
  readonly origin: Origin
  readonly project: Project
  /** What is put at the end of each event: where a user's own device called from. */
  readonly peer: Buffer | null
}

/** Checks each event on its own, so that a bad one never harms its neighbours. `newId` names events that have no id. */
export const sortEvents = (events: readonly SentEvent[], arrived: Arrived, bounds: DoorBounds, newId: () => string): Sorted => {
  const byPartition: (Line[] | undefined)[] = []
  const rejected: RejectedEvent[] = []
  for (let index = 0; index < events.length; index++) {
    const event = events[index]!
    const accepted = checkBytes(event, bounds) ?? acceptEvent(readLine(arrived.origin.protocol, event.raw), arrived.origin)
    if (accepted.ok) file(byPartition, event, accepted, arrived, newId)
    else rejected.push({ index, refusal: accepted, line: rejectedLine(accepted, event, bounds) })
  }
  return { accepted: events.length - rejected.length, byPartition, rejected }
}

const checkBytes = (event: SentEvent, bounds: DoorBounds): Refusal | null => {
  const { raw, bytes, start, end } = event
  if (event.refusal) return event.refusal
  if (end - start > bounds.eventBytesMax) return refuse('EVENT_TOO_LARGE', `the event has ${end - start} bytes`)
  if (event.scanned) return null
  if (isDeeperThan(raw, DEPTH_MAX)) return refuse('EVENT_TOO_DEEP', `the event is nested more than ${DEPTH_MAX} deep`)
  return isUtf8(bytes.subarray(start, end)) ? null : refuse('INVALID_UTF8')
}

const isDeeperThan = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((inner) => isDeeperThan(inner, depth - 1))
}

const file = (byPartition: (Line[] | undefined)[], { bytes, start, end }: SentEvent, { raw }: Accepted, { origin, project, peer }: Arrived, newId: () => string): void => {
  const given = ownMessageId(raw) === null ? newId() : null
  const key = filedKeyOf(project, { userId: raw['userId'], anonymousId: raw['anonymousId'], messageId: given ?? messageIdOf(origin, raw) })
  const partition = homeOf(shardOf(project.id, key), topics.accepted.partitions)
  const added = given === null ? peer : Buffer.concat([field('messageId', given), peer ?? NOTHING])
  const line: Line = { bytes, start, end, added: added && isBare(bytes, start, end) ? added.subarray(1) : added }
  const lines = byPartition[partition]
  if (lines) lines.push(line)
  else byPartition[partition] = [line]
}

const NOTHING = Buffer.alloc(0)
const field = (name: string, value: string): Buffer => Buffer.from(`,${JSON.stringify(name)}:${JSON.stringify(value)}`)

/** Whether an object has no field, so that one more needs no comma before it. */
const isBare = (bytes: Buffer, start: number, end: number): boolean => skipSpace(bytes, start + 1) === end - 1

/** The event with one more field at its end; of two fields with one name, JSON.parse takes the last. */
export const withField = ({ raw, bytes, start, end }: SentEvent, name: string, value: string): SentEvent => {
  const added = field(name, value)
  const longer = Buffer.concat([bytes.subarray(start, end - 1), isBare(bytes, start, end) ? added.subarray(1) : added, CLOSE])
  return { raw: { ...(raw as Fields), [name]: value }, bytes: longer, start: 0, end: longer.length, scanned: false }
}

const CLOSE = Buffer.from('}')

/** What is kept of a refusal; over the bound the detail says how much is missing. */
export const rejectedLine = (refusal: Refusal, { raw, bytes, start, end }: Pick<SentEvent, 'raw' | 'bytes' | 'start' | 'end'>, bounds: DoorBounds): RejectedLine => {
  const length = end - start
  return {
    code: refusal.code,
    detail: length > bounds.rejectedBytesMax ? `${refusal.detail} (the first ${bounds.rejectedBytesMax} of ${length} bytes are kept)` : refusal.detail,
    bytes: bytes.toString('base64', start, start + Math.min(length, bounds.rejectedBytesMax)),
    messageId: typeof raw === 'object' && raw !== null ? ownMessageId(raw as Fields)?.slice(0, 256) ?? null : null,
  }
}

/** The bytes of each event where the splitter agrees with JSON.parse, else the event written anew. */
export const sentEvents = (batch: readonly unknown[], body: Buffer, slices: readonly Slice[] | null): readonly SentEvent[] =>
  slices?.length === batch.length
    ? batch.map((raw, index) => ({ raw, bytes: body, start: slices[index]!.start, end: slices[index]!.end, scanned: false }))
    : batch.map(rewritten)

/** An event that was not sent as JSON of its own, written so. */
export const rewritten = (raw: unknown): SentEvent => {
  try {
    const bytes = Buffer.from(JSON.stringify(raw))
    return { raw, bytes, start: 0, end: bytes.length, scanned: false }
  } catch {
    // Nested so deeply that it cannot be written again.
    return { raw, bytes: NOTHING, start: 0, end: 0, scanned: false }
  }
}
