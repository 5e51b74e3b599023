import type { LiveEvent, LiveRefusal } from '@millrace/contracts'
import type { ColumnStore } from '@millrace/ports'
import { personIdSql, STORE_DATABASE, unsigned } from '@millrace/warehouse'
import { BY_EVENT_MAX, LAST_MAX, SECONDS_SHOWN, TAIL_SECONDS, type TailView } from './tail.ts'

type Columns = Pick<ColumnStore, 'query'>

/** What the tail would know of a project if one copy had read it all, asked of the column store. @param now milliseconds */
export const storedView = async (columns: Columns, project: number, now: number): Promise<TailView> => {
  const second = Math.floor(now / 1000)
  const since = (seconds: number): string => `project = ${unsigned(project)} AND received_at >= fromUnixTimestamp64Milli(${unsigned(Math.max(0, second - seconds) * 1000)})`
  const [seconds, byEvent, events, refused] = await Promise.all([
    columns.query<{ second: number; n: number }>(
      `SELECT toUInt32(toUnixTimestamp(received_at)) AS second, toUInt32(count()) AS n FROM ${STORE_DATABASE}.events WHERE ${since(SECONDS_SHOWN)} GROUP BY second ORDER BY second`),
    columns.query<TailView['byEvent'][number]>(
      `SELECT event, channel, toUInt32(count()) AS events FROM ${STORE_DATABASE}.events WHERE ${since(TAIL_SECONDS)} GROUP BY event, channel ORDER BY events DESC LIMIT ${BY_EVENT_MAX}`),
    lastEvents(columns, project),
    lastRefused(columns, project),
  ])
  return { seconds: seconds.map(({ second: at, n }) => [at, n] as const), byEvent, events, refused, newestReceivedAt: events[0]?.receivedAt ?? null }
}

const ISO = (column: string): string => `formatDateTime(${column}, '%Y-%m-%dT%H:%i:%S.') || leftPad(toString(toUnixTimestamp64Milli(${column}) % 1000), 3, '0') || 'Z'`

export const lastEvents = (columns: Columns, project: number): Promise<readonly LiveEvent[]> =>
  columns.query<LiveEvent>(
    `SELECT message_id AS messageId, type, event, if(nobody, NULL, toString(${personIdSql()})) AS personId,` +
      ` nullIf(user_id, '') AS userId, nullIf(anonymous_id, '') AS anonymousId, channel, source,` +
      ` ${ISO('events.timestamp')} AS timestamp, ${ISO('events.received_at')} AS receivedAt FROM ${STORE_DATABASE}.events AS events` +
      ` WHERE project = ${unsigned(project)} ORDER BY received_at DESC, _partition, _offset DESC, _index DESC LIMIT ${LAST_MAX}`,
  )

export const lastRefused = (columns: Columns, project: number): Promise<readonly LiveRefusal[]> =>
  columns.query<LiveRefusal>(
    `SELECT code, detail, source, nullIf(message_id, '') AS messageId, ${ISO('received_at')} AS receivedAt` +
      ` FROM ${STORE_DATABASE}.rejected WHERE project = ${unsigned(project)} ORDER BY received_at DESC LIMIT ${LAST_MAX}`,
  )
