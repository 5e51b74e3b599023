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

const statement = (source: Source, question: Asked, end: number): string => {
  const { rows, room } = placesSql(question, eventsSql(source, question, end))
  const window = BigInt(windowMs(question.window)) * BigInt(room) + BigInt(room / 2 - 1)
  const steps = question.steps.map((_, index) => `step = ${index + 1}`)
  return (
    `SELECT level, count() AS people FROM (SELECT person, windowFunnel(${window})(toUInt64(place), ${steps.join(', ')}) AS level` +
    ` FROM (${rows}) GROUP BY person) WHERE level > 0 GROUP BY level ORDER BY level`
  )
}

/** Rows (person, at, steps): events that can be one step or more. */
const eventsSql = (source: Source, question: Asked, end: number): string => {
  const { schema, context } = source
  const start = startOfDay(question.zone, question.from)
  const steps = question.steps.map((step, index) => `if(${stepSql(source, question, step, index)}, ${index + 1}, 0)`)
  return (
    `SELECT ${schema.person(context.project, 'number')} AS person, toUnixTimestamp64Milli(timestamp) AS at,` +
    ` arrayFilter(i -> i > 0, [${steps.join(', ')}]) AS steps FROM ${schema.events}` +
    ` WHERE project = ${context.project} AND ${schema.somebody}` +
    ` AND timestamp >= fromUnixTimestamp64Milli(${start}) AND timestamp < fromUnixTimestamp64Milli(${end})` +
    ` AND (${question.steps.map((step) => `(${choiceSql(schema, step)})`).join(' OR ')})`
  )
}

/** A funnel begins within `from`..`to`; later steps may follow until the window of the last start is over. */
const stepSql = (source: Source, { from, to }: Asked, step: EventChoice, index: number): string => {
  const chosen = choiceSql(source.schema, step)
  return index === 0 ? `${chosen} AND ${dayWithin(source, daySql(source), from, to)}` : chosen
}

/**
 * Rows (person, place, step). `windowFunnel` takes them in order of `place`; at equal places, or where one row can be
 * several steps, it would let one event serve as all of them. So each row is one step, and its place is the millisecond
 * × `room` + a rank below half of the room: no two ranks can make up for a millisecond at the end of the window.
 */
const placesSql = ({ equalTimes, steps }: Asked, events: string): { readonly rows: string; readonly room: number } => {
  if (equalTimes === 'refused')
    return { rows: `SELECT person, arrayJoin(steps) AS step, at * 64 + 31 - step AS place FROM (${events})`, room: 64 }
  if (isDisjoint(steps)) return { rows: `SELECT person, arrayMin(steps) AS step, at * 64 + step AS place FROM (${events})`, room: 64 }
  return { rows: overlappingSql(events), room: 2 ** 21 }
}

/** No event can be two of the steps. */
const isDisjoint = (steps: readonly EventChoice[]): boolean =>
  new Set(steps.map(({ event }) => event)).size === steps.length && steps.every(({ event }) => event !== '*')

/**
 * Where an event can be several steps, events of one time go by the first step that each can be, then by the others.
 * Each gets a rank of its own, and its steps go from the last to the first, so that it serves one step of a run.
 */
const overlappingSql = (events: string): string => {
  const others = 'arraySum(i -> bitShiftLeft(toUInt64(1), i), steps)'
  const sorted = `arraySort(groupArray((at, arrayMin(steps), ${others}, steps)))`
  const ranked = `arrayZip(${sorted} AS sorted, arrayEnumerateUniq(sorted.1))`
  return (
    'SELECT person, arrayJoin(one.1.4) AS step, one.1.1 * 2097152 + least(one.2, 32767) * 32 + 31 - step AS place' +
    ` FROM (SELECT person, arrayJoin(${ranked}) AS one FROM (${events}) GROUP BY person)`
  )
}

const stepsOf = ({ steps }: Asked, rows: readonly Row[]): Result['steps'] => {
  const levels = rows.map((row) => ({ level: Number(row['level']), people: Number(row['people']) }))
  return steps.map(({ event }, index) => ({
    event,
    people: levels.filter(({ level }) => level > index).reduce((sum, { people }) => sum + people, 0),
  }))
}
