import { createZone } from '@millrace/contracts'
import type { EventChoice, TrendsAnswer, TrendsPoint, TrendsQuestion } from '@millrace/contracts'
import { addDays, daysBetween, startOfDay, startsBetween, stepFrom, type DayInterval } from './calendar.ts'
import { choiceSql } from './filter.ts'
import { QuestionTooLarge, type MetricSchema, type Plan, type QuestionContext, type Row } from './schema.ts'
import { bucketSql, dayWithin, daySql, personDaysSql, sourceFor, withinSql, type Source } from './source.ts'

/** More points or groups than this are an error, never a cut. */
export const TREND_POINTS_MAX = 10_000
export const TREND_GROUPS_MAX = 100

const HOUR_MS = 3_600_000

/** Numbers of events over time. Its definition in words is in the package's README. */
export const planTrends = (
  schema: MetricSchema,
  asked: TrendsQuestion,
  context: QuestionContext,
): Plan<TrendsQuestion, TrendsAnswer['series']> => {
  const question = normalise(asked, context)
  const byDay = question.interval !== 'hour' && question.breakdown === undefined && question.property === undefined
  const source = sourceFor(schema, context, question.zone, question.events, byDay)
  const periods = periodsOf(question, context)
  return {
    question,
    readFrom: source.readFrom,
    sql: question.events.map((choice) => statement(source, question, choice)),
    read: (answers) =>
      question.events.flatMap(({ event }, index) =>
        groupsOf(answers[index] ?? [], question).map(({ group, values }) => ({
          event,
          ...(question.breakdown && { group }),
          points: periods.map(({ key, at, complete }) => ({ at, value: values.get(key) ?? nothing(question), complete })),
        })),
      ),
  }
}

type Asked = TrendsQuestion & { readonly zone: string }

const normalise = (asked: TrendsQuestion, context: QuestionContext): Asked => ({
  ...asked,
  zone: asked.zone ?? context.zone,
  ...(asked.property === 'revenue' && { currency: asked.currency ?? context.currency }),
})

// ── the statement ──────────────────────────────────────────────────────────────────────────────────────
const statement = (source: Source, question: Asked, choice: EventChoice): string => {
  if (question.measure === 'new-people') return newPeopleSql(source, question, choice)
  if (question.rollingDays !== undefined) return rollingSql(source, question, choice, question.rollingDays)
  return source.readFrom === 'aggregates' ? aggregateSql(source, question, choice) : eventsSql(source, question, choice)
}

const aggregateSql = (source: Source, { measure, interval, from, to }: Asked, choice: EventChoice): string => {
  const { schema, context } = source
  const at = `toString(${bucketSql(interval as DayInterval, 'day')}) AS at`
  if (measure === 'people')
    return `SELECT ${at}, uniqExact(person) AS value FROM (${personDaysSql(source, choice, from, to)}) GROUP BY at ORDER BY at`
  return (
    `SELECT ${at}, sum(events) AS value FROM ${schema.eventDay} WHERE project = ${context.project}` +
    ` AND event = ${schema.text(choice.event)} AND ${dayWithin(source, 'day', from, to)} GROUP BY at ORDER BY at`
  )
}

const eventsSql = (source: Source, question: Asked, choice: EventChoice): string => {
  const { schema, context } = source
  const group = question.breakdown ? `${groupSql(schema, question.breakdown.property)} AS grouping, ` : ''
  const by = question.breakdown ? 'grouping, at' : 'at'
  return (
    `SELECT ${group}toString(${atSql(source, question)}) AS at, ${measureSql(source, question)} FROM ${schema.events}` +
    ` WHERE project = ${context.project} AND ${choiceSql(schema, choice)}${onlyCounted(schema, question)}` +
    ` AND ${withinSql(source, question.from, question.to)} GROUP BY ${by} ORDER BY ${by}`
  )
}

/** Hours are counted from the first instant of `from`, so that a day with 23 or 25 of them has each once. */
const atSql = (source: Source, { interval, from, zone }: Asked): string =>
  interval === 'hour'
    ? `intDiv(toUnixTimestamp64Milli(timestamp) - ${startOfDay(zone, from)}, ${HOUR_MS})`
    : bucketSql(interval, daySql(source))

const measureSql = ({ schema, context }: Source, { measure, property }: Asked): string => {
  if (measure === 'events') return 'count() AS value'
  if (measure === 'people') return `uniqExact(${schema.person(context.project, 'number')}) AS value`
  return `toString(sum(${valueSql(schema, property ?? '')})) AS total, count() AS n`
}

/** Sums in decimals do not depend on the order of adding; other numbers than money are taken to 10 decimal places. */
const valueSql = (schema: MetricSchema, property: string): string =>
  property === 'revenue' ? 'revenue' : `toDecimal256(toString(${schema.numbers}[${schema.text(property)}]), 10)`

/** Events without the summed value do not count; those of nobody are no people. */
const onlyCounted = (schema: MetricSchema, { measure, property, currency }: Asked): string => {
  if (measure === 'people') return ` AND ${schema.somebody}`
  if (property === undefined) return ''
  if (property === 'revenue') return ` AND revenue IS NOT NULL AND currency = ${schema.text(currency ?? '')}`
  return ` AND mapContains(${schema.numbers}, ${schema.text(property)})`
}

/** The value as text, prefixed by its type, so that the number 1 and the text "1" are two groups; '' has none. */
const groupSql = (schema: MetricSchema, property: string): string => {
  const name = schema.text(property)
  return (
    `multiIf(mapContains(${schema.texts}, ${name}), concat('s', ${schema.texts}[${name}]),` +
    ` mapContains(${schema.numbers}, ${name}), concat('n', toString(${schema.numbers}[${name}])),` +
    ` mapContains(${schema.booleans}, ${name}), if(${schema.booleans}[${name}] = 1, 'btrue', 'bfalse'), '')`
  )
}

/** A person is new in the period of the first chosen event ever, so all of the past is read. */
const newPeopleSql = (source: Source, question: Asked, choice: EventChoice): string => {
  const { schema, context } = source
  if (question.interval !== 'hour')
    return (
      `SELECT toString(${bucketSql(question.interval, 'first')}) AS at, count() AS value` +
      ` FROM (SELECT person, min(day) AS first FROM (${personDaysSql(source, choice, null, question.to)}) GROUP BY person)` +
      ` WHERE first >= toDate(${schema.text(question.from)}) GROUP BY at ORDER BY at`
    )
  return (
    `SELECT toString(${atSql(source, question)}) AS at, count() AS value FROM (SELECT min(timestamp) AS timestamp FROM` +
    ` ${schema.events} WHERE project = ${context.project} AND ${choiceSql(schema, choice)} AND ${schema.somebody}` +
    ` AND ${withinSql(source, null, question.to)} GROUP BY ${schema.person(context.project, 'number')})` +
    ` WHERE ${withinSql(source, question.from, question.to)} GROUP BY at ORDER BY at`
  )
}

/** One bitmap of people a day, laid over the days that it counts for. */
const rollingSql = (source: Source, question: Asked, choice: EventChoice, days: number): string => {
  const first = addDays(question.from, 1 - days)
  return (
    `SELECT toString(later) AS at, groupBitmapMerge(users) AS value FROM (SELECT day, groupBitmapState(person) AS users` +
    ` FROM (${personDaysSql(source, choice, first, question.to)}) GROUP BY day)` +
    ` ARRAY JOIN arrayMap(i -> day + i, range(${days})) AS later` +
    ` WHERE ${dayWithin(source, 'later', question.from, question.to)} GROUP BY at ORDER BY at`
  )
}

// ── the answer ─────────────────────────────────────────────────────────────────────────────────────────
interface Period {
  /** `at` of the statement's rows. */
  readonly key: string
  readonly at: string
  readonly complete: boolean
}

const periodsOf = (question: Asked, { asOf }: QuestionContext): readonly Period[] => {
  const { interval, from, to, zone } = question
  if (interval === 'hour') return hoursOf(question, asOf)
  if (daysBetween(from, to) > TREND_POINTS_MAX) throw new QuestionTooLarge(`more than ${TREND_POINTS_MAX} points`)
  const today = createZone(zone).day(asOf)
  return startsBetween(interval, from, to).map((at) => {
    const end = stepFrom(interval, at, 1)
    return { key: at, at, complete: at >= from && end <= addDays(to, 1) && end <= today }
  })
}

const hoursOf = ({ from, to, zone }: Asked, asOf: number): readonly Period[] => {
  const start = startOfDay(zone, from)
  const hours = Math.ceil((startOfDay(zone, addDays(to, 1)) - start) / HOUR_MS)
  if (hours > TREND_POINTS_MAX) throw new QuestionTooLarge(`more than ${TREND_POINTS_MAX} points`)
  return Array.from({ length: hours }, (_, hour) => {
    const at = start + hour * HOUR_MS
    return { key: String(hour), at: new Date(at).toISOString(), complete: at + HOUR_MS <= asOf }
  })
}

interface Group {
  readonly group: string | null
  readonly values: ReadonlyMap<string, TrendsPoint['value']>
}

const groupsOf = (rows: readonly Row[], question: Asked): readonly Group[] => {
  const groups = new Map<string, Map<string, TrendsPoint['value']>>()
  if (!question.breakdown) groups.set('', new Map())
  for (const row of rows) {
    const grouping = String(row['grouping'] ?? '')
    const values = groups.get(grouping) ?? new Map<string, TrendsPoint['value']>()
    groups.set(grouping, values.set(String(row['at']), valueOf(row, question)))
    if (groups.size > TREND_GROUPS_MAX) throw new QuestionTooLarge(`more than ${TREND_GROUPS_MAX} values of ${question.breakdown?.property}`)
  }
  return [...groups].map(([grouping, values]) => ({ group: grouping === '' ? null : grouping.slice(1), values }))
}

const nothing = ({ measure, property }: Asked): TrendsPoint['value'] =>
  measure === 'average' ? null : measure === 'sum' && property === 'revenue' ? '0' : 0

const valueOf = (row: Row, { measure, property }: Asked): TrendsPoint['value'] => {
  if (measure !== 'sum' && measure !== 'average') return Number(row['value'])
  const total = String(row['total'])
  if (measure === 'sum') return property === 'revenue' ? total : Number(total)
  return property === 'revenue' ? averageMoney(total, BigInt(String(row['n']))) : Number(total) / Number(row['n'])
}

const UNITS = 10_000n

/** Rounded half away from zero to a ten-thousandth. */
const averageMoney = (total: string, n: bigint): string => {
  const [whole = '0', fraction = ''] = total.replace('-', '').split('.')
  const units = BigInt(whole) * UNITS + BigInt(fraction.padEnd(4, '0').slice(0, 4))
  const average = (units * 2n + n) / (n * 2n)
  const rest = (average % UNITS).toString().padStart(4, '0').replace(/0+$/, '')
  return `${total.startsWith('-') && average > 0n ? '-' : ''}${average / UNITS}${rest && `.${rest}`}`
}
