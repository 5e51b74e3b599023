import {
  type CanonicalEvent,
  createZones,
  type DecodedRecord,
  decodeEvent,
  decodeRecord,
  type FlipLine,
  isNobody,
  isRefusal,
  type MapLine,
  type Origin,
  type OriginCount,
  type Place,
  type Project,
  type RejectedLine,
  requestAt,
  type ResolvedEventLine,
  type ResolvedLine,
  topics,
} from '@millrace/contracts'
import type { Batch, LogRecord } from '@millrace/ports'
import {
  clockRow,
  eventRow,
  flipRow,
  numberRow,
  refusedLinkRow,
  rejectedRow,
  repeatRow,
  rowBytes,
  ruleRow,
  STORE_DATABASE,
} from '@millrace/warehouse'

/** One insert: all rows of a batch for one table. */
interface Block {
  readonly table: string
  readonly rows: Uint8Array
  readonly count: number
}

/** What a batch holds for the store, and what of it is worth showing live. */
export interface SinkBatch {
  /** The base table first, then the others in a fixed order. */
  readonly blocks: readonly Block[]
  readonly changesMap: boolean
  readonly events: readonly SeenEvent[]
  readonly refused: readonly SeenRefusal[]
  /** Events that resolve has dropped as repeats. */
  readonly repeats: number
}
/** Of an event what a page shows; the rest is let go with the batch's rows. */
export type SeenEvent = Pick<
  CanonicalEvent,
  'project' | 'messageId' | 'type' | 'event' | 'userId' | 'anonymousId' | 'channel' | 'source' | 'timestamp' | 'receivedAt'
> & { readonly personId: string | null }
export interface SeenRefusal {
  readonly project: number
  readonly source: string
  readonly receivedAt: number
  readonly code: string
  readonly detail: string
  readonly messageId: string | null
}

export type Encode = (batch: Batch) => Promise<SinkBatch>

const TABLES = ['events', 'repeats', 'rules', 'numbers', 'refused_links', 'flips', 'rejected', 'clock'] as const
type Table = (typeof TABLES)[number]

/**
 * Rows of a batch: a function of the log and of what a project is given at its creation, so that a batch that is
 * stored again after a crash has the same bytes. Nothing of an event can make an insert fail: what cannot be decoded
 * becomes a row of `rejected` here, before the batch is declared.
 */
export const createEncoder = (projectOf: (id: number) => Promise<Project>): Encode => {
  const zoneOf = createZones()
  return async (batch) => {
    const collected = new Collected()
    for (const record of batch.records) {
      const decoded = decodeRecord(record.value)
      if (record.topic === topics.resolved.name) {
        const project = await projectOf(decoded.header.project)
        encodeResolved(collected, record, decoded, { project, dayOf: zoneOf(project.zone).day })
      } else encodeOther(collected, record, decoded)
    }
    return collected.finish()
  }
}

class Collected {
  readonly rows: Record<Table, string[]> = {
    events: [], repeats: [], rules: [], numbers: [], refused_links: [], flips: [], rejected: [], clock: [],
  }
  readonly events: SeenEvent[] = []
  readonly refused: SeenRefusal[] = []
  repeats = 0
  /** Newest time of events.resolved in this batch; partition and time. */
  clock: readonly [partition: number, at: number] | undefined

  advance(partition: number, at: number): void {
    if (this.clock === undefined || this.clock[1] < at) this.clock = [partition, at]
  }

  reject(project: number, origin: Origin, line: RejectedLine, place: Place, request: string): void {
    this.rows.rejected.push(rejectedRow(project, origin, line, place, request))
    const { code, detail, messageId } = line
    this.refused.push({ project, source: origin.source, receivedAt: origin.receivedAt, code, detail, messageId })
  }

  finish(): SinkBatch {
    if (this.clock) this.rows.clock.push(clockRow(...this.clock))
    const filled = TABLES.filter((table) => this.rows[table].length > 0)
    return {
      blocks: filled.map((table) => ({
        table: `${STORE_DATABASE}.${table}`,
        rows: rowBytes(this.rows[table]),
        count: this.rows[table].length,
      })),
      changesMap: this.rows.numbers.length > 0,
      events: this.events,
      refused: this.refused,
      repeats: this.repeats,
    }
  }
}

interface Settings {
  readonly project: Project
  readonly dayOf: (ms: number) => string
}

const encodeResolved = (into: Collected, { partition, offset }: LogRecord, decoded: DecodedRecord, settings: Settings): void => {
  for (const origin of decoded.header.origins as readonly OriginCount[]) {
    const row = repeatRow(settings.project.id, origin, [partition, offset])
    if (row !== null) into.rows.repeats.push(row)
    into.repeats += origin.repeats
    into.advance(partition, origin.receivedAt)
  }
  for (const [index, bytes] of decoded.lines().entries()) {
    const line = parse<ResolvedLine>(bytes)
    if (line.type === 'event') encodeEvent(into, decoded.header.origins[line.origin]!, line, settings, [partition, offset, index])
    else if (line.type === 'clock.advanced') into.advance(partition, line.at)
    // Each partition has every change of a rule; one of them is enough.
    else if (line.type === 'rule.changed' && partition === 0) into.rows.rules.push(ruleRow(settings.project.id, line))
  }
}

/** `_partition` of rows of `rejected` that come from events.resolved: this much above the partition there. */
export const REJECTED_IN_RESOLVED = 1000

const encodeEvent = (into: Collected, origin: Origin, line: ResolvedEventLine, { project, dayOf }: Settings, place: Place): void => {
  const event = decodeEvent(origin, project, line.event)
  if (isRefusal(event)) {
    const bytes = Buffer.from(JSON.stringify(line.event)).toString('base64')
    const [partition, ...rest] = place
    const refused = { code: event.code, detail: event.detail, bytes, messageId: null }
    return into.reject(project.id, origin, refused, [REJECTED_IN_RESOLVED + partition, ...rest], line.request ?? '')
  }
  into.rows.events.push(eventRow(event, { ...line, place }, dayOf))
  into.events.push(seenOf(event, isNobody(line.key) ? null : line.person))
}

const seenOf = (event: CanonicalEvent, personId: string | null): SeenEvent => ({
  project: event.project,
  messageId: event.messageId,
  type: event.type,
  event: event.event,
  userId: event.userId,
  anonymousId: event.anonymousId,
  channel: event.channel,
  source: event.source,
  timestamp: event.timestamp,
  receivedAt: event.receivedAt,
  personId,
})

/** Of a record of events.accepted that nobody could read. */
const NO_ORIGIN: Origin = { source: '', protocol: '', receivedAt: 0, sentAt: null }

const encodeOther = (into: Collected, { topic, partition, offset }: LogRecord, { header, lines }: DecodedRecord): void => {
  for (const [index, bytes] of lines().entries()) {
    if (topic === topics.map.name) encodeMap(into, header.project, parse<MapLine>(bytes))
    else if (topic === topics.segmentChanged.name)
      into.rows.flips.push(flipRow(header.project, parse<FlipLine>(bytes), [partition, offset, index]))
    else if (topic === topics.rejected.name)
      into.reject(header.project, header.origins[0] ?? NO_ORIGIN, parse<RejectedLine>(bytes), [partition, offset, index], requestAt(header, index))
    else throw new Error(`the sink does not read ${topic}`)
  }
}

const encodeMap = (into: Collected, project: number, line: MapLine): void => {
  if (line.type === 'number.mapped') into.rows.numbers.push(numberRow(project, line))
  else into.rows.refused_links.push(refusedLinkRow(project, line))
}

const parse = <Line>(bytes: Buffer): Line => JSON.parse(bytes.toString('utf8')) as Line
