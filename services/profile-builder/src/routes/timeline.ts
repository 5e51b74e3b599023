import { ProblemError } from '@millrace/contracts'
import type { ColumnStore, HotStore } from '@millrace/ports'
import { activeSlots } from '@millrace/identity'
import { list, propertiesSql, STORE_DATABASE, unsigned } from '@millrace/warehouse'
import { z } from 'zod'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { type Freshness, readDocument } from './read-profile.ts'

export interface TimelineEvent {
  readonly at: string
  readonly receivedAt: string
  readonly type: string
  readonly event: string
  readonly messageId: string
  readonly userId: string | null
  readonly anonymousId: string | null
  readonly sessionId: string
  readonly source: string
  readonly protocol: string
  readonly channel: string
  readonly revenue: string | null
  readonly currency: string
  readonly properties: unknown
  readonly context: unknown
}
export interface Timeline {
  readonly events: readonly TimelineEvent[]
  /** Given as `after`, brings the next older events; null at the end. */
  readonly next: string | null
  readonly freshness: Freshness
}

const place = z.tuple([z.int(), z.int().nonnegative(), z.int().nonnegative(), z.int().nonnegative()])

interface Row {
  readonly [column: string]: unknown
  readonly at: number
  readonly received: number
  readonly recordPartition: number
  readonly recordOffset: number
  readonly line: number
}

/** A page of the person's events, newest first, then by place in the log; nothing is left out between two pages. */
export const readTimeline = async (
  { hot, columns }: { readonly hot: HotStore; readonly columns: ColumnStore },
  project: number,
  person: string,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<Timeline> => {
  const { document, freshness } = await readDocument(hot, project, person)
  const numbers = [...new Set(document ? activeSlots(document).map(({ number }) => number) : [])]
  if (numbers.length === 0) throw new ProblemError('PERSON_NOT_FOUND')
  const rows = await columns.query<Row>(timelineSql(project, numbers, decodeCursor(place, after), limit + 1))
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const next = rows.length > limit && last ? encodeCursor([last.at, last.recordPartition, last.recordOffset, last.line].map(Number)) : null
  return { events: page.map(eventOf), next, freshness }
}

const TIMESTAMP = 'toUnixTimestamp64Milli(timestamp)'

const timelineSql = (project: number, numbers: readonly number[], before: z.output<typeof place> | null, limit: number): string => `
SELECT ${TIMESTAMP} AS at, toUnixTimestamp64Milli(received_at) AS received, type, event, message_id, user_id, anonymous_id, session_id,
  source, protocol, channel, toString(revenue) AS amount, currency, ${propertiesSql()} AS properties_json, context AS context_json,
  _partition AS recordPartition, _offset AS recordOffset, _index AS line
FROM ${STORE_DATABASE}.events
WHERE project = ${unsigned(project)} AND number IN ${list(numbers.map(unsigned))}${
  before ? `\n  AND (${TIMESTAMP}, _partition, _offset, _index) < (${before.map((part) => String(part)).join(', ')})` : ''}
ORDER BY at DESC, recordPartition DESC, recordOffset DESC, line DESC
LIMIT ${unsigned(limit)}`

const eventOf = (row: Row): TimelineEvent => ({
  at: new Date(Number(row.at)).toISOString(),
  receivedAt: new Date(Number(row.received)).toISOString(),
  type: String(row['type']),
  event: String(row['event']),
  messageId: String(row['message_id']),
  userId: textOrNull(row['user_id']),
  anonymousId: textOrNull(row['anonymous_id']),
  sessionId: String(row['session_id']),
  source: String(row['source']),
  protocol: String(row['protocol']),
  channel: String(row['channel']),
  revenue: textOrNull(row['amount']),
  currency: String(row['currency']),
  properties: parsed(row['properties_json']),
  context: parsed(row['context_json']),
})

const textOrNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const parsed = (value: unknown): unknown => (typeof value === 'string' && value !== '' ? JSON.parse(value) : {})
