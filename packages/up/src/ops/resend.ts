import { createHash } from 'node:crypto'
import { ownMessageId } from '@millrace/contracts'

/** A row of /api/rejected. */
export interface RejectedRow {
  readonly receivedAt: string
  readonly code: string
  readonly detail: string
  readonly source: string
  readonly protocol: string
  readonly messageId: string | null
  /** Base64. */
  readonly bytes: string
}

export interface RejectedFilter {
  readonly code: string | null
  readonly source: string | null
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
}

/** Of newest first rows: whether it is wanted, or everything behind it is too old. */
export const wanted = ({ fromMs, toMs, code, source }: RejectedFilter, row: RejectedRow): 'yes' | 'no' | 'too-old' => {
  const at = Date.parse(row.receivedAt)
  if (at < fromMs) return 'too-old'
  return at < toMs && (code === null || row.code === code) && (source === null || row.source === source) ? 'yes' : 'no'
}

/** Why what was kept cannot be sent. */
export type Unsendable = 'cut' | 'unreadable'

const CUT = /\(the first \d+ of \d+ bytes are kept\)$/

/**
 * The events of one refused row, as they are sent again: with the message id that they had, else one that is made of
 * when they came and of their bytes, and with that time where they name none. So a second run sends the very same.
 * @param nth of equal rows of one moment
 */
export const eventsOf = (row: RejectedRow, nth: number): { readonly texts: readonly string[] } | { readonly fault: Unsendable } => {
  if (CUT.test(row.detail)) return { fault: 'cut' }
  const bytes = Buffer.from(row.bytes, 'base64')
  const parsed = parse(bytes)
  if (parsed === null) return { fault: 'unreadable' }
  const text = bytes.toString('utf8')
  // A body that was refused as a whole, such as a batch that was too long.
  const events = Array.isArray(parsed['batch']) ? partsOf(parsed, parsed['batch'] as readonly unknown[]) : [{ event: parsed, text }]
  return events === null ? { fault: 'unreadable' } : { texts: events.map((part, index) => textOf(part, row, `${nth}:${index}`)) }
}

type Fields = Readonly<Record<string, unknown>>

interface Part {
  readonly event: Fields
  /** As it was sent: numbers keep all their digits. */
  readonly text: string
}

/** Events of a body, each with what the body said once for all. */
const partsOf = (body: Fields, batch: readonly unknown[]): readonly Part[] | null => {
  if (!batch.every(isObject)) return null
  const shared = isObject(body['context']) ? body['context'] : {}
  return batch.map((fields) => {
    const own = isObject(fields['context']) ? fields['context'] : {}
    const event = Object.keys(shared).length === 0 ? fields : { ...fields, context: { ...shared, ...own } }
    return { event, text: JSON.stringify(event) }
  })
}

/** What it lacks is put at its end: of two fields with one name the last counts. */
const textOf = ({ event, text }: Part, row: RejectedRow, place: string): string => {
  const id = `replay-${createHash('sha256').update(`${row.receivedAt}\n${row.source}\n${place}\n${row.bytes}`).digest('hex').slice(0, 32)}`
  const lacking = {
    ...(ownMessageId(event) !== null ? {} : { messageId: id }),
    ...(isTimed(event) ? {} : { timestamp: row.receivedAt }),
  }
  const added = JSON.stringify(lacking).slice(1, -1)
  if (added === '') return text
  return `${text.slice(0, text.lastIndexOf('}'))}${Object.keys(event).length > 0 ? ',' : ''}${added}}`
}

const isTimed = (event: Fields): boolean => [event['timestamp'], event['originalTimestamp']].some((time) => time !== undefined && time !== null)
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

const parse = (bytes: Buffer): Fields | null => {
  try {
    // A text that is no UTF-8 would be sent with other letters than it had.
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** Tells equal rows of one moment apart: the rows come in one order each time. */
export const countEqual = () => {
  const seen = new Map<string, number>()
  let at = ''
  return (row: RejectedRow): number => {
    if (row.receivedAt !== at) {
      at = row.receivedAt
      seen.clear()
    }
    const key = `${row.source}\n${row.code}\n${row.bytes}`
    const nth = seen.get(key) ?? 0
    seen.set(key, nth + 1)
    return nth
  }
}
