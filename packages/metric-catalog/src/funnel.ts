import { windowMs, type EventChoice, type FunnelAnswer, type FunnelQuestion } from '@millrace/contracts'
import { addDays, startOfDay } from './calendar.ts'
import { choiceSql } from './filter.ts'
import type { MetricSchema, Plan, QuestionContext, Row } from './schema.ts'
import { dayWithin, daySql, sourceFor, type Source } from './source.ts'

type Asked = FunnelQuestion & { readonly zone: string }
type Result = Pick<FunnelAnswer, 'steps' | 'complete'>

/** How many people went through steps in order. Its definition in words is in the package's README. */
export const planFunnel = (
  schema: MetricSchema,
  asked: FunnelQuestion,
  context: QuestionContext,
): Plan<FunnelQuestion, Result> => {
  const question: Asked = { ...asked, zone: asked.zone ?? context.zone }
  const source = sourceFor(schema, { ...context, readFrom: 'events' }, question.zone, question.steps)
  const end = startOfDay(question.zone, addDays(question.to, 1)) + windowMs(question.window)
  return {
    question,
    readFrom: source.readFrom,
    sql: [statement(source, question, end)],
    read: ([rows = []]) => ({ steps: stepsOf(question, rows), complete: end <= context.asOf }),
  }
}

/**
 * Room between two milliseconds to put events of one time in order. `windowFunnel` takes what it is given in order of
 * its first argument, and at equal values in no order that one can rely on.
 */
const RANKS = 64

const statement = (source: Source, question: Asked, end: number): string => {
  const { schema, context } = source
  const start = startOfDay(question.zone, question.from)
  const conditions = question.steps.map((step, index) => stepSql(source, question, step, index))
  const steps = `arrayFilter(i -> i > 0, [${conditions.map((condition, index) => `if(${condition}, ${index + 1}, 0)`).join(', ')}])`
  const matched = conditions.map((_, index) => `has(steps, ${index + 1})`)
  return (
    `SELECT level, count() AS people FROM (SELECT person, windowFunnel(${windowMs(question.window) * RANKS + RANKS - 1})` +
    `(toUInt64(place), ${matched.join(', ')}) AS level FROM (SELECT ${schema.person(context.project, 'number')} AS person, ` +
    `${placesSql(question, steps)} FROM ${schema.events} WHERE project = ${context.project} AND ${schema.somebody}` +
    ` AND timestamp >= fromUnixTimestamp64Milli(${start}) AND timestamp < fromUnixTimestamp64Milli(${end})` +
    ` AND (${question.steps.map((step) => `(${choiceSql(schema, step)})`).join(' OR ')}))` +
    ' GROUP BY person) WHERE level > 0 GROUP BY level ORDER BY level'
  )
}

/** A funnel begins within `from`..`to`; later steps may follow until the window of the last start is over. */
const stepSql = (source: Source, { from, to }: Asked, step: EventChoice, index: number): string => {
  const chosen = choiceSql(source.schema, step)
  return index === 0 ? `${chosen} AND ${dayWithin(source, daySql(source), from, to)}` : chosen
}

/**
 * `in-order`: at one time, events go by the first step that each can be; one event serves one step of a run.
 * `refused`: at one time, later steps go first, so that none follows an earlier step of the same time.
 */
const placesSql = ({ equalTimes }: Asked, steps: string): string => {
  const at = `toUnixTimestamp64Milli(timestamp) * ${RANKS}`
  return equalTimes === 'in-order'
    ? `${steps} AS steps, ${at} + arrayMin(steps) AS place`
    : `arrayJoin(arrayMap(i -> [i], ${steps})) AS steps, ${at} + ${RANKS - 1} - steps[1] AS place`
}

const stepsOf = ({ steps }: Asked, rows: readonly Row[]): Result['steps'] => {
  const levels = rows.map((row) => ({ level: Number(row['level']), people: Number(row['people']) }))
  return steps.map(({ event }, index) => ({
    event,
    people: levels.filter(({ level }) => level > index).reduce((sum, { people }) => sum + people, 0),
  }))
}
