import type { EventChoice } from '@millrace/contracts'
import type { Day, DayInterval } from './calendar.ts'
import { choiceSql } from './filter.ts'
import type { MetricSchema, QuestionContext } from './schema.ts'

/** Where a question reads: the same rows come out of both, which a property test holds. */
export interface Source {
  readonly schema: MetricSchema
  readonly context: QuestionContext
  readonly zone: string
  readonly readFrom: 'events' | 'aggregates'
}

/** Aggregates know the project's days and no property; everything else is counted from the events. */
export const sourceFor = (
  schema: MetricSchema,
  context: QuestionContext,
  zone: string,
  choices: readonly EventChoice[],
  byDay = true,
): Source => {
  const coarse = byDay && zone === context.zone && choices.every((choice) => choice.where.length === 0)
  return { schema, context, zone, readFrom: context.readFrom ?? (coarse ? 'aggregates' : 'events') }
}

export const daySql = (source: Source): string => `toDate(timestamp, ${source.schema.text(source.zone)})`

/** Condition: the day lies within these days, both included. The bound on `timestamp` only spares reading. */
export const withinSql = (source: Source, from: Day | null, to: Day): string => {
  const { text } = source.schema
  const lower = from === null ? '' : `timestamp >= toDateTime64(${text(`${from} 00:00:00`)}, 3, 'UTC') - INTERVAL 1 DAY AND `
  return (
    `${lower}timestamp < toDateTime64(${text(`${to} 00:00:00`)}, 3, 'UTC') + INTERVAL 2 DAY` +
    ` AND ${dayWithin(source, daySql(source), from, to)}`
  )
}

export const dayWithin = (source: Source, day: string, from: Day | null, to: Day): string => {
  const date = (value: Day): string => `toDate(${source.schema.text(value)})`
  return from === null ? `${day} <= ${date(to)}` : `${day} BETWEEN ${date(from)} AND ${date(to)}`
}

/** Rows (person, day), once each: who did one of the chosen events on which day. `from` null: since ever. */
export const personDaysSql = (source: Source, choice: EventChoice, from: Day | null, to: Day): string => {
  const { schema, context } = source
  const person = (number: string): string => schema.person(context.project, number)
  if (source.readFrom === 'aggregates')
    return (
      `SELECT DISTINCT ${person('one')} AS person, day FROM ${schema.eventDay} ARRAY JOIN bitmapToArray(numbers) AS one` +
      ` WHERE project = ${context.project} AND ${schema.somebody} AND event = ${schema.text(choice.event)} AND ${dayWithin(source, 'day', from, to)}`
    )
  return (
    `SELECT DISTINCT ${person('number')} AS person, ${daySql(source)} AS day FROM ${schema.events}` +
    ` WHERE project = ${context.project} AND ${choiceSql(schema, choice)} AND ${schema.somebody}` +
    ` AND ${withinSql(source, from, to)}`
  )
}

/** First day of the interval that holds a day. */
export const bucketSql = (interval: DayInterval, day: string): string =>
  interval === 'day' ? day : interval === 'week' ? `toMonday(${day})` : `toStartOfMonth(${day})`
