import { type Comparison, type DidLeaf, leavesOf, type Millis, type ProfileLeaf, type PropertyFilter, RULE_BOUNDS, type Rule } from '@millrace/contracts'
import { keepOf, type LeafState, STATE_BOUNDS } from './leaf-state.ts'
import { toUnits } from './match.ts'

/** Checked literals and the expression of today's person, handed in by the caller (they are the warehouse's). */
export interface Dialect {
  readonly quoted: (text: string) => string
  readonly float: (value: number) => string
  readonly integer: (value: number) => string
  readonly instant: (ms: Millis) => string
  /** UUID of the person of a row of `millrace_store.events` today. */
  readonly personId: string
}

/** One row for each person of the project: `person`, and `member` by the rule as of `clock`. */
export const membersSql = (dialect: Dialect, project: number, rule: Rule, clock: Millis): string => {
  const leaves = leavesOf(rule)
  const measures = leaves.flatMap((leaf) => (leaf.kind === 'did' ? [`${measureSql(dialect, leaf, clock)} AS m${leaf.id}`] : []))
  const people = `SELECT ${[`${dialect.personId} AS person`, ...measures].join(', ')}
  FROM millrace_store.events WHERE project = ${dialect.integer(project)} AND NOT nobody GROUP BY person`
  const traits = `SELECT person, traits FROM millrace_store.profiles FINAL WHERE project = ${dialect.integer(project)} AND NOT gone`
  const joined = leaves.some((leaf) => leaf.kind === 'profile') ? `(${people}) AS people LEFT JOIN (${traits}) AS profiles USING (person)` : `(${people})`
  return `SELECT person, ${treeSql(dialect, rule)} AS member FROM ${joined}`
}

const treeSql = (dialect: Dialect, rule: Rule): string => {
  switch (rule.kind) {
    case 'all':
      return `(${rule.of.map((inner) => treeSql(dialect, inner)).join(' AND ')})`
    case 'any':
      return `(${rule.of.map((inner) => treeSql(dialect, inner)).join(' OR ')})`
    case 'not':
      return `(NOT ${treeSql(dialect, rule.of)})`
    case 'did':
      return `(${comparisonSql(dialect, rule.comparison, `m${rule.id}`, rule.measure === 'sum' ? toUnits : Number)})`
    case 'profile':
      return `(${profileSql(dialect, rule)})`
  }
}

const OPERATORS = { eq: '=', neq: '!=', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

const comparisonSql = (dialect: Dialect, comparison: Comparison, measured: string, unit: (value: number) => number): string => {
  if (comparison.op !== 'between') return `${measured} ${OPERATORS[comparison.op]} ${dialect.integer(unit(comparison.value))}`
  return `${measured} BETWEEN ${comparison.value.map((value) => dialect.integer(unit(value))).join(' AND ')}`
}

const measureSql = (dialect: Dialect, leaf: DidLeaf, clock: Millis): string => {
  const counted = [...matchSql(dialect, leaf), ...windowSql(dialect, leaf, clock), `timestamp <= ${dialect.instant(clock)}`].join(' AND ')
  if (leaf.measure === 'count') return `countIf(${counted})`
  if (leaf.measure === 'distinct-days') return `uniqExactIf(day, ${counted})`
  return `sumIf(toInt128(${amountSql(dialect, leaf)}), ${counted})`
}

/** Conditions on a row of `millrace_store.events`, without the window. */
const matchSql = (dialect: Dialect, leaf: DidLeaf): readonly string[] => [
  leaf.event === '*' ? "type IN ('track', 'page', 'screen')" : `event = ${dialect.quoted(leaf.event)}`,
  ...leaf.where.map((filter) => filterSql(dialect, filter)),
  ...(leaf.measure === 'sum' ? [hasAmountSql(dialect, leaf)] : []),
]

const windowSql = (dialect: Dialect, { windowMs }: DidLeaf, clock: Millis): readonly string[] => {
  if (windowMs === null) return []
  const from = dialect.instant(clock - windowMs)
  // A day of any zone begins at most a day before its date in UTC does; the day prunes, the timestamp decides.
  return [`timestamp > ${from}`, `day >= toDate(${from}) - 1`]
}

/** The same three operations on doubles as in `toUnits`, so that both give the same whole number. */
const amountSql = (dialect: Dialect, leaf: DidLeaf): string =>
  leaf.currency === null
    ? `ifNotFinite(floor(nums[${dialect.quoted(leaf.property!)}] * 10000 + 0.5), 0)`
    : 'toInt64(ifNull(revenue, 0) * 10000)'

const hasAmountSql = (dialect: Dialect, leaf: DidLeaf): string => {
  const bound = `abs(${amountSql(dialect, leaf)}) <= ${dialect.integer(RULE_BOUNDS.amountMax * 10_000)}`
  if (leaf.currency === null) return `mapContains(nums, ${dialect.quoted(leaf.property!)}) AND ${bound}`
  return `revenue IS NOT NULL AND currency = ${dialect.quoted(leaf.currency)} AND ${bound}`
}

/** A missing property reads as the empty value of a map, so its presence is always asked for, too. */
const filterSql = (dialect: Dialect, filter: PropertyFilter): string => {
  const key = dialect.quoted(filter.property)
  const typed = (value: unknown, condition: (found: string) => string): string => {
    const map = typeof value === 'string' ? 'strs' : typeof value === 'number' ? 'nums' : 'bools'
    return `(mapContains(${map}, ${key}) AND ${condition(`${map}[${key}]`)})`
  }
  const there = `(mapContains(strs, ${key}) OR mapContains(nums, ${key}) OR mapContains(bools, ${key}) OR JSONType(extra, ${key}) != 'Null')`
  return conditionSql(dialect, filter, typed, there)
}

const profileSql = (dialect: Dialect, { condition }: ProfileLeaf): string => {
  const key = dialect.quoted(condition.trait)
  const typed = (value: unknown, test: (found: string) => string): string => {
    if (typeof value === 'string') return `(JSONType(traits, ${key}) = 'String' AND ${test(`JSONExtractString(traits, ${key})`)})`
    if (typeof value === 'boolean') return `(JSONType(traits, ${key}) = 'Bool' AND ${test(`JSONExtractBool(traits, ${key})`)})`
    return `(JSONType(traits, ${key}) IN ('Int64', 'UInt64', 'Double') AND ${test(`JSONExtractFloat(traits, ${key})`)})`
  }
  return conditionSql(dialect, condition, typed, `(JSONType(traits, ${key}) != 'Null')`)
}

type Typed = (value: unknown, condition: (found: string) => string) => string

const conditionSql = (dialect: Dialect, condition: PropertyFilter | ProfileLeaf['condition'], typed: Typed, there: string): string => {
  switch (condition.op) {
    case 'eq':
      return typed(condition.value, (found) => `${found} = ${valueSql(dialect, condition.value)}`)
    case 'neq':
      return `(NOT ${typed(condition.value, (found) => `${found} = ${valueSql(dialect, condition.value)}`)})`
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return typed(condition.value, (found) => `${found} ${OPERATORS[condition.op]} ${dialect.float(condition.value)}`)
    case 'contains':
      return typed('', (found) => `position(${found}, ${dialect.quoted(condition.value)}) > 0`)
    case 'not-contains':
      return `(NOT ${typed('', (found) => `position(${found}, ${dialect.quoted(condition.value)}) > 0`)})`
    case 'starts-with':
      return typed('', (found) => `startsWith(${found}, ${dialect.quoted(condition.value)})`)
    case 'ends-with':
      return typed('', (found) => `endsWith(${found}, ${dialect.quoted(condition.value)})`)
    case 'in':
      return inSql(dialect, condition.value, typed)
    case 'not-in':
      return `(NOT ${inSql(dialect, condition.value, typed)})`
    case 'exists':
      return there
    case 'not-exists':
      return `(NOT ${there})`
  }
}

const inSql = (dialect: Dialect, values: readonly (string | number)[], typed: Typed): string =>
  typed(values[0], (found) => `has([${values.map((value) => valueSql(dialect, value)).join(', ')}], ${found})`)

const valueSql = (dialect: Dialect, value: string | number | boolean): string => {
  if (typeof value === 'string') return dialect.quoted(value)
  return typeof value === 'number' ? dialect.float(value) : String(value)
}

export interface BackfillPage {
  readonly project: number
  /** A clock that every partition has reached: what it lets drop is never asked for again. */
  readonly clock: Millis
  /** Offset of the rule's record in each partition of events.resolved; only rows before it are read. */
  readonly upTo: readonly number[]
  readonly numberFrom: number
  readonly numberBelow: number
}

export interface BackfillRow {
  readonly number: number
  readonly user_id: string
  readonly anonymous_id: string
  readonly t: readonly (number | string)[]
  readonly a: readonly (number | string)[]
  readonly n: number | string
  readonly s: string
  readonly last: number | string
  readonly cut: number | string
}

/** The state of one leaf by number, from events that lie before the rule: what `settle` would have kept of them. */
export const backfillSql = (dialect: Dialect, leaf: DidLeaf, page: BackfillPage): string => {
  const conditions = [
    `project = ${dialect.integer(page.project)}`,
    'NOT nobody',
    `number >= ${dialect.integer(page.numberFrom)} AND number < ${dialect.integer(page.numberBelow)}`,
    `_offset < arrayElement([${page.upTo.map(dialect.integer).join(', ')}], _partition + 1)`,
    ...matchSql(dialect, leaf),
    ...windowSql(dialect, leaf, page.clock),
  ]
  const columns = ['number', 'any(user_id) AS user_id', 'any(anonymous_id) AS anonymous_id', ...stateColumns(dialect, leaf, page.clock)]
  const rows = `(SELECT number, user_id, anonymous_id, day, toUnixTimestamp64Milli(timestamp) AS ms, ${leaf.measure === 'sum' ? `toInt64(${amountSql(dialect, leaf)})` : '0'} AS amount
  FROM millrace_store.events WHERE ${conditions.join(' AND ')})`
  return `SELECT ${columns.join(', ')} FROM ${rows} GROUP BY number ORDER BY number`
}

const stateColumns = (dialect: Dialect, leaf: DidLeaf, clock: Millis): readonly string[] => {
  const ahead = `arraySlice(arraySort(groupArrayIf(ms, ms > ${dialect.integer(clock)})), 1, ${STATE_BOUNDS.entriesMax})`
  const none = ['CAST([], \'Array(Int64)\') AS a', '0 AS n', "'' AS s", '0 AS last', '0 AS cut']
  const here = `ms <= ${dialect.integer(clock)}`
  if (leaf.measure === 'distinct-days') {
    const days = `tupleElement(maxMapIf([day], [ms], ${here}), 2)`
    return [`arraySort(arrayConcat(${latest(days, keepOf(leaf))}, ${ahead})) AS t`, ...none]
  }
  if (leaf.windowMs === null) return everColumns(leaf, here, ahead, dialect.integer(clock))
  if (leaf.measure === 'count') return [`arraySort(arrayConcat(${latest(`groupArrayIf(ms, ${here})`, keepOf(leaf))}, ${ahead})) AS t`, ...none]
  const entries = 'arraySort(groupArray((ms, amount)))'
  const kept = `arraySlice(${entries}, -${STATE_BOUNDS.entriesMax})`
  return [
    `arrayMap(e -> e.1, ${kept}) AS t`, `arrayMap(e -> e.2, ${kept}) AS a`, '0 AS n', "'' AS s", '0 AS last',
    `if(count() > ${STATE_BOUNDS.entriesMax}, (${entries}[count() - ${STATE_BOUNDS.entriesMax}]).1, 0) AS cut`,
  ]
}

const latest = (times: string, keep: number): string => `arraySlice(arrayReverseSort(${times}), 1, ${keep})`

const everColumns = (leaf: DidLeaf, here: string, ahead: string, clock: string): readonly string[] => {
  const folded = [`countIf(${here}) AS n`, `maxIf(ms, ${here}) AS last`, '0 AS cut']
  if (leaf.measure === 'count') return [`${ahead} AS t`, "CAST([], 'Array(Int64)') AS a", "'' AS s", ...folded]
  const later = `arraySlice(arraySort(groupArrayIf((ms, amount), ms > ${clock})), 1, ${STATE_BOUNDS.entriesMax})`
  return [
    `arrayMap(e -> e.1, ${later}) AS t`, `arrayMap(e -> e.2, ${later}) AS a`,
    `toString(sumIf(toInt128(amount), ${here})) AS s`, ...folded,
  ]
}

/** A row of `backfillSql` as the state that the stream would have made. */
export const stateOfRow = (leaf: DidLeaf, row: BackfillRow): LeafState => {
  const t = row.t.map(Number)
  const [n, last, cut] = [Number(row.n), Number(row.last), Number(row.cut)]
  return {
    t,
    ...(leaf.measure === 'sum' ? { a: row.a.map(Number) } : {}),
    ...(n > 0 ? { n, last, ...(leaf.measure === 'sum' ? { s: row.s } : {}) } : {}),
    ...(cut > 0 ? { cut } : {}),
  }
}
