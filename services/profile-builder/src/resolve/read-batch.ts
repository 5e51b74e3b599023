import type { AcceptedControl, CanonicalEvent, Key, Origin, Project, RecordHeader, Refusal } from '@millrace/contracts'
import { decodeEvent, decodeRecord, filedKeyOf, originAt, refuse, requestAt } from '@millrace/contracts'
import type { LogRecord } from '@millrace/ports'

export type Incoming =
  | {
      readonly kind: 'event'
      readonly project: Project
      readonly origin: Origin
      readonly offset: number
      readonly index: number
      /** The id of the request that brought it, or empty. */
      readonly request: string
      readonly event: CanonicalEvent
      readonly key: Key
      /** The sender's own JSON. */
      readonly text: string
    }
  | { readonly kind: 'control'; readonly project: Project; readonly offset: number; readonly at: number; readonly line: AcceptedControl }
  | {
      readonly kind: 'refused'
      readonly projectId: number
      readonly origin: Origin | null
      readonly request: string
      readonly bytes: Buffer
      readonly refusal: Pick<Refusal, 'code' | 'detail'>
    }

export type ProjectById = (id: number) => Project | undefined

/** Every line of a record of events.accepted, in order. What cannot be read is a value, so that no batch is stuck on it. */
export const readRecord = (record: LogRecord, projectById: ProjectById): readonly Incoming[] => {
  let header: RecordHeader | undefined
  let lines: readonly Buffer[]
  try {
    const decoded = decodeRecord(record.value)
    header = decoded.header
    lines = decoded.lines()
  } catch (error) {
    return unreadable(record, header, error)
  }
  const project = projectById(header.project)
  return lines.map((bytes, index): Incoming => {
    const origin = originAt(header, index) ?? null
    const refused = (refusal: Pick<Refusal, 'code' | 'detail'>): Incoming => ({
      kind: 'refused',
      projectId: header.project,
      // Only events were counted as received; without an origin a refusal counts for nothing.
      origin: header.kind === 'events' ? origin : null,
      request: requestAt(header, index),
      bytes,
      refusal,
    })
    if (!project) return refused(refuse('PROJECT_NOT_FOUND'))
    const text = bytes.toString()
    let raw: unknown
    try {
      raw = JSON.parse(text)
    } catch {
      return refused(refuse('NOT_JSON'))
    }
    if (header.kind === 'control') {
      if (!isControl(raw)) return refused(refuse('RECORD_UNREADABLE', 'a control line that lacks what its type needs'))
      const line = raw
      return { kind: 'control', project, offset: record.offset, at: origin?.receivedAt ?? 0, line }
    }
    if (header.kind !== 'events' || !origin) return refused(refuse('RECORD_UNREADABLE', `a record of kind ${header.kind}`))
    const event = decodeEvent(origin, project, raw)
    if ('ok' in event) return refused(event)
    return { kind: 'event', project, origin, offset: record.offset, index, request: requestAt(header, index), event, key: filedKeyOf(project, event), text }
  })
}

/** What is kept of bytes that are no record: enough to see whose they are, and the record that keeps them fits a broker. */
const BYTES_KEPT_MAX = 256 * 1024
/** A header that lies must not make a million refusals. */
const REFUSALS_MAX = 10_000

/** Each event that the header counted is refused, so that the ledger balances; the bytes are kept once. */
const unreadable = (record: LogRecord, header: RecordHeader | undefined, error: unknown): readonly Incoming[] => {
  const { length } = record.value
  const cut = length > BYTES_KEPT_MAX ? `; the first ${BYTES_KEPT_MAX} of ${length} bytes are kept` : ''
  const refusal = refuse('RECORD_UNREADABLE', `${error instanceof Error ? error.message : String(error)}${cut}`)
  const counted = header?.kind === 'events' ? Math.min(Math.max(1, header.count), REFUSALS_MAX) : 1
  return Array.from({ length: counted }, (_, index): Incoming => ({
    kind: 'refused', projectId: header?.project ?? 0, origin: header?.kind === 'events' ? (header.origins[0] ?? null) : null, request: header ? requestAt(header, index) : '', refusal,
    bytes: index === 0 ? Buffer.from(record.value.subarray(0, BYTES_KEPT_MAX)) : Buffer.alloc(0),
  }))
}

/** A line of our own making; a type that this build does not know goes by. */
const isControl = (raw: unknown): raw is AcceptedControl => {
  if (typeof raw !== 'object' || raw === null) return false
  const { type, key, a, b, order, person, epoch } = raw as Readonly<Record<string, unknown>>
  switch (type) {
    case 'identity.command':
      return isText(a) && isText(b) && isOrder(order)
    case 'key.placed':
      return isText(key) && isText(person) && Number.isInteger(epoch)
    case 'state.backfilled':
      return isText(key)
    default:
      return isText(type)
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isOrder = (value: unknown): boolean => {
  const { time, messageId } = (value ?? {}) as Readonly<Record<string, unknown>>
  return Number.isFinite(time) && isText(messageId)
}
