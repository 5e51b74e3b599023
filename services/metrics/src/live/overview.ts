import type { LiveOverview } from '@millrace/contracts'
import type { Clock, ColumnStore } from '@millrace/ports'
import { STORE_DATABASE, unsigned } from '@millrace/warehouse'
import { lastEvents, lastRefused, storedView } from './stored-view.ts'
import type { LiveTail } from './tail.ts'

type Totals = Pick<LiveOverview, 'people' | 'stored' | 'refusedTotal'>

export interface OverviewDeps {
  readonly tail: LiveTail
  /** False: other copies read a part of what the tail is made of, so the column store is asked instead. */
  isWhole(): boolean
  readonly columns: Pick<ColumnStore, 'query'>
  readonly clock: Clock
}

/** Totals are counted again when something was stored since, and at most once in this time. */
const TOTALS_MS = 2000

/** What is going on in a project: the tail in memory, and totals from the column store. */
export const createOverview = ({ tail, isWhole, columns, clock }: OverviewDeps) => {
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
    /** True: something was stored behind the last count, or may have been by another copy. */
    isBehind: (project: number): boolean => !isWhole() || (known.get(project)?.stale ?? false),
    of: async (project: number): Promise<LiveOverview> => {
      if (!isWhole()) {
        const last = known.get(project)
        if (last) last.stale = true
        const [stored, totals] = await Promise.all([storedView(columns, project, clock.now()), totalsOf(project)])
        return { ...stored, ...totals, at: new Date(clock.now()).toISOString() }
      }
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
