import type { LiveEvent, LiveOverview, LiveRefusal } from '@millrace/contracts'
import type { Clock, ColumnStore } from '@millrace/ports'
import { personIdSql, STORE_DATABASE, unsigned } from '@millrace/warehouse'
import type { LiveTail } from './tail.ts'

type Totals = Pick<LiveOverview, 'people' | 'stored' | 'refusedTotal'>

export interface OverviewDeps {
  readonly tail: LiveTail
  readonly columns: Pick<ColumnStore, 'query'>
  readonly clock: Clock
}

/** Totals are counted again when something was stored since, and at most once in this time. */
const TOTALS_MS = 2000

/** What is going on in a project: the tail in memory, and totals from the column store. */
export const createOverview = ({ tail, columns, clock }: OverviewDeps) => {
  const known = new Map<number, { readonly totals: Promise<Totals>; readonly at: number; stale: boolean }>()
  const totalsOf = (project: number): Promise<Totals> => {
    const last = known.get(project)
    if (last && (!last.stale || clock.now() - last.at < TOTALS_MS)) return last.totals
    const totals = countTotals(columns, project)
    known.set(project, { totals, at: clock.now(), stale: false })
    // A count that failed must not be answered again.
    totals.catch(() => known.delete(project))
    return totals
  }
  return {
    changed: (projects: Iterable<number>): void => {
      for (const project of projects) {
        const last = known.get(project)
        if (last) last.stale = true
      }
    },
    /** True: something was stored behind the last count. */
    isBehind: (project: number): boolean => known.get(project)?.stale ?? false,
    of: async (project: number): Promise<LiveOverview> => {
      const view = tail.view(project, clock.now())
      const totals = await totalsOf(project)
      const events = view.events.length > 0 ? view.events : await lastEvents(columns, project)
      const refused = view.refused.length > 0 ? view.refused : await lastRefused(columns, project)
      const newestReceivedAt = view.newestReceivedAt ?? events[0]?.receivedAt ?? null
      return { ...view, events, refused, newestReceivedAt, ...totals, at: new Date(clock.now()).toISOString() }
    },
  }
}

const countTotals = async (columns: OverviewDeps['columns'], project: number): Promise<Totals> => {
  const id = unsigned(project)
  const [row] = await columns.query<{ people: number; stored: number; refused: number }>(
    `SELECT (SELECT uniqExact(person_number) FROM ${STORE_DATABASE}.numbers FINAL WHERE project = ${id} AND key_type != 'none') AS people,` +
      ` (SELECT sum(events) FROM ${STORE_DATABASE}.event_day WHERE project = ${id} AND event != '*') AS stored,` +
      ` (SELECT count() FROM ${STORE_DATABASE}.rejected WHERE project = ${id}) AS refused`,
  )
  return { people: Number(row?.people ?? 0), stored: Number(row?.stored ?? 0), refusedTotal: Number(row?.refused ?? 0) }
}

const ISO = (column: string): string => `formatDateTime(${column}, '%Y-%m-%dT%H:%i:%S.') || leftPad(toString(toUnixTimestamp64Milli(${column}) % 1000), 3, '0') || 'Z'`

/** After a restart the tail is empty; the last 50 events are asked once, until the first new one comes. */
const lastEvents = (columns: OverviewDeps['columns'], project: number): Promise<readonly LiveEvent[]> =>
  columns.query<LiveEvent>(
    `SELECT message_id AS messageId, type, event, if(nobody, NULL, toString(${personIdSql()})) AS personId,` +
      ` nullIf(user_id, '') AS userId, nullIf(anonymous_id, '') AS anonymousId, channel, source,` +
      ` ${ISO('events.timestamp')} AS timestamp, ${ISO('events.received_at')} AS receivedAt FROM ${STORE_DATABASE}.events AS events` +
      ` WHERE project = ${unsigned(project)} ORDER BY received_at DESC, _partition, _offset DESC, _index DESC LIMIT 50`,
  )

const lastRefused = (columns: OverviewDeps['columns'], project: number): Promise<readonly LiveRefusal[]> =>
  columns.query<LiveRefusal>(
    `SELECT code, detail, source, nullIf(message_id, '') AS messageId, ${ISO('received_at')} AS receivedAt` +
      ` FROM ${STORE_DATABASE}.rejected WHERE project = ${unsigned(project)} ORDER BY received_at DESC LIMIT 50`,
  )
