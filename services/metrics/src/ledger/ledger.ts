import { ledgerDifference, type LedgerCounts, topics } from '@millrace/contracts'
import type { ColumnStore, EventLog, HotStore } from '@millrace/ports'
import { STORE_DATABASE, unsigned } from '@millrace/warehouse'
import { REJECTED_IN_RESOLVED } from '../sink/blocks.ts'
import { countSpan, readPositions, type Positions, type Span } from './positions.ts'
import { hourKey, parseHourKey, receivedScope, type HourKey } from './received.ts'

export interface LedgerDeps {
  readonly log: Pick<EventLog, 'extents' | 'committed' | 'read'>
  readonly hot: Pick<HotStore, 'scan' | 'watermark'>
  readonly columns: Pick<ColumnStore, 'query'>
}

export interface LedgerRow extends LedgerCounts {
  readonly source: string
  /** Start of the UTC hour of receivedAt, ISO. */
  readonly hour: string
  readonly balanced: boolean
}
export interface Ledger {
  readonly balanced: boolean
  readonly total: LedgerCounts
  readonly rows: readonly LedgerRow[]
  /** Positions up to which rows were counted: the whole answer is of one moment. */
  readonly positions: Positions
}
export interface HourSpan {
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

/**
 * `received = stored + rejected + duplicate + erased + pending` for one project, by source and hour (P3). The three
 * sides are counted apart: received from the log's headers, stored rows in the column store, pending from the lag.
 */
export const readLedger = async (deps: LedgerDeps, project: number, span: HourSpan): Promise<Ledger> => {
  const { positions, hours } = await readHours(deps, project)
  const rows = [...hours]
    .map(([key, counts]) => ({ counts, ...parseHourKey(key) }))
    .filter((at) => at.project === project && at.hour >= span.from && at.hour < span.to)
    .sort((a, b) => a.hour - b.hour || (a.source < b.source ? -1 : 1))
    .map(({ counts, hour, source }): LedgerRow => ({ source, hour: new Date(hour).toISOString(), ...counts, balanced: isBalanced(counts) }))
  return { balanced: rows.every((row) => row.balanced), total: sum(rows), rows, positions }
}

/** The ledger of all time of every project, of one moment. */
export const readTotals = async (deps: LedgerDeps): Promise<ReadonlyMap<number, LedgerCounts>> => {
  const { hours } = await readHours(deps, null)
  const totals = new Map<number, LedgerCounts>()
  for (const [key, counts] of hours) {
    const { project } = parseHourKey(key)
    totals.set(project, sum([totals.get(project) ?? NOTHING, counts]))
  }
  return totals
}

const readHours = async (deps: LedgerDeps, project: number | null): Promise<{ positions: Positions; hours: ReadonlyMap<HourKey, LedgerCounts> }> => {
  const positions = await readPositions(deps.log)
  const [received, pending, stored] = await Promise.all([
    countReceived(deps, positions),
    countPending(deps.log, positions),
    countStored(deps.columns, project, positions),
  ])
  const keys = new Set([...received.keys(), ...pending.keys(), ...stored.keys()])
  const countsOf = (key: HourKey): LedgerCounts => ({ ...NOTHING, ...stored.get(key), received: received.get(key) ?? 0, pending: pending.get(key) ?? 0 })
  return { positions, hours: new Map([...keys].map((key) => [key, countsOf(key)])) }
}

const NOTHING: LedgerCounts = { received: 0, stored: 0, rejected: 0, duplicate: 0, erased: 0, pending: 0 }

const isBalanced = (counts: LedgerCounts): boolean => ledgerDifference(counts) === 0

/** Counts of several sources or hours together. */
export const sum = (rows: readonly LedgerCounts[]): LedgerCounts => {
  const total = { ...NOTHING } as Record<keyof LedgerCounts, number>
  for (const row of rows) for (const name of Object.keys(NOTHING) as (keyof LedgerCounts)[]) total[name] += row[name]
  return total
}

export type Counts = Map<HourKey, number>

/** The fold of the group `ledger`, and behind it the headers that it has not read yet. */
export const countReceived = async ({ hot, log }: Pick<LedgerDeps, 'hot' | 'log'>, { accepted, rejected }: Positions): Promise<Counts> => {
  const counts: Counts = new Map()
  for (const span of [...accepted, ...rejected]) {
    const from = await foldedUpTo(hot, counts, span)
    await countSpan(log, counts, { ...span, settled: from })
  }
  return counts
}

const SCAN = 1000

/**
 * The fold's documents and its watermark are read one after the other, so they are read again when it moved; one that
 * is ahead of the positions would count what they do not: then the headers alone are counted.
 */
const foldedUpTo = async (hot: LedgerDeps['hot'], counts: Counts, { topic, partition, end }: Span): Promise<number> => {
  const scope = receivedScope(topic, partition)
  for (let tries = 0; tries < 5; tries++) {
    const before = (await hot.watermark(scope)) ?? 0
    const folded: [HourKey, number][] = []
    for (let after: string | undefined; ; ) {
      const entries = await hot.scan(scope, { prefix: '', ...(after !== undefined && { after }), limit: SCAN })
      folded.push(...entries.map(({ key, document }) => [key, Number(document)] as [HourKey, number]))
      if (entries.length < SCAN) break
      after = entries.at(-1)!.key
    }
    if (((await hot.watermark(scope)) ?? 0) !== before || before > end) continue
    for (const [key, n] of folded) counts.set(key, (counts.get(key) ?? 0) + n)
    return before
  }
  return 0
}

export const countPending = async (log: LedgerDeps['log'], { accepted, resolved, rejected }: Positions): Promise<Counts> => {
  const counts: Counts = new Map()
  for (const span of [...accepted, ...resolved, ...rejected]) await countSpan(log, counts, span)
  return counts
}

type Stored = Pick<LedgerCounts, 'stored' | 'rejected' | 'duplicate'>

/**
 * Of one project or, with null, of all. Rows below the sink's positions: what is inserted but not committed yet counts as pending, not twice. Refused records
 * without an origin (no record at all, a control line) were never received as events.
 */
const countStored = async (
  columns: LedgerDeps['columns'],
  project: number | null,
  { resolved, rejected }: Positions,
): Promise<Map<HourKey, Stored>> => {
  const own = project === null ? '1' : `project = ${unsigned(project)}`
  const below = (spans: readonly Span[], base = 0): string =>
    `transform(toUInt64(_partition), [${spans.map(({ partition }) => `toUInt64(${base + partition})`).join(', ')}],` +
    ` [${spans.map(({ settled }) => `toUInt64(${settled})`).join(', ')}], toUInt64(0)) > _offset`
  const hour = 'toUnixTimestamp(toStartOfHour(received_at))'
  const rows = await columns.query<{ kind: keyof Stored; project: number; source: string; hour: number; n: number }>(
    `SELECT 'stored' AS kind, project, toString(source) AS source, ${hour} AS hour, count() AS n FROM ${STORE_DATABASE}.events` +
      ` WHERE ${own} AND ${below(resolved)} GROUP BY project, source, hour` +
      ` UNION ALL SELECT 'rejected', project, toString(source), ${hour} AS hour, count() FROM ${STORE_DATABASE}.rejected` +
      ` WHERE ${own} AND received_at > 0 AND (${below(rejected)} OR ${below(resolved, REJECTED_IN_RESOLVED)}) GROUP BY project, source, hour` +
      ` UNION ALL SELECT 'duplicate', project, toString(source), toUnixTimestamp(hour) AS hour, sum(n) FROM ${STORE_DATABASE}.repeats` +
      ` WHERE ${own} AND ${below(resolved)} GROUP BY project, source, hour`,
  )
  const counts = new Map<HourKey, Stored>()
  for (const { kind, project: of, source, hour: seconds, n } of rows) {
    const key = hourKey(Number(of), Number(seconds) * 1000, source)
    const before = counts.get(key) ?? { stored: 0, rejected: 0, duplicate: 0 }
    counts.set(key, { ...before, [kind]: before[kind] + Number(n) })
  }
  return counts
}

/** Topics whose records ingest writes. */
export const RECEIVED_TOPICS: readonly string[] = [topics.accepted, topics.rejected].map(({ name }) => name)
