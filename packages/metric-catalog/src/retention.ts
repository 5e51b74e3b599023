import { createZone } from '@millrace/contracts'
import type { RetentionAnswer, RetentionQuestion } from '@millrace/contracts'
import { addDays, startOf, stepFrom } from './calendar.ts'
import type { MetricSchema, Plan, QuestionContext, Row } from './schema.ts'
import { bucketSql, personDaysSql, sourceFor, type Source } from './source.ts'

type Asked = RetentionQuestion & { readonly zone: string }
type Result = Pick<RetentionAnswer, 'cohorts' | 'total'>

/** Who came back, by the period of the first start. Its definition in words is in the package's README. */
export const planRetention = (
  schema: MetricSchema,
  asked: RetentionQuestion,
  context: QuestionContext,
): Plan<RetentionQuestion, Result> => {
  const question: Asked = { ...asked, zone: asked.zone ?? context.zone }
  const source = sourceFor(schema, context, question.zone, [question.start, question.return])
  return {
    question,
    readFrom: source.readFrom,
    sql: [statement(source, question)],
    read: ([rows = []]) => answer(question, context, rows),
  }
}

/** One row a cohort: its size, and how many returned in each period 0..n. */
const statement = (source: Source, question: Asked): string => {
  const { interval, from, to, periods, counting } = question
  const starts = personDaysSql(source, question.start, null, to)
  const returns = personDaysSql(source, question.return, from, to)
  const distance = `dateDiff(${source.schema.text(interval)}, cohort, at)`
  const came =
    counting === 'on'
      ? `arrayMap(n -> toUInt64(has(arrayMap(at -> ${distance}, ats), n)), range(0, ${periods + 1}))`
      : `arrayMap(n -> toUInt64(arrayExists(at -> ${distance} >= n, ats)), range(0, ${periods + 1}))`
  return (
    `SELECT toString(cohort) AS at, count() AS size, sumForEach(${came}) AS returned FROM` +
    ` (SELECT person, ${bucketSql(interval, 'min(day)')} AS cohort FROM (${starts}) GROUP BY person` +
    ` HAVING min(day) >= toDate(${source.schema.text(from)})) AS firsts` +
    ` LEFT JOIN (SELECT person, groupUniqArray(${bucketSql(interval, 'day')}) AS ats FROM (${returns}) GROUP BY person) AS later` +
    ' USING (person) GROUP BY cohort ORDER BY cohort'
  )
}

const answer = (question: Asked, context: QuestionContext, rows: readonly Row[]): Result => {
  const isComplete = completeness(question, context)
  const cohorts = rows.map((row) => ({
    at: String(row['at']),
    size: Number(row['size']),
    returned: (row['returned'] as readonly unknown[]).map(Number),
    complete: isComplete(String(row['at'])),
  }))
  const total = Array.from({ length: question.periods + 1 }, (_, n) => {
    const counted = cohorts.filter((cohort) => cohort.complete[n])
    return {
      n,
      size: counted.reduce((sum, cohort) => sum + cohort.size, 0),
      returned: counted.reduce((sum, cohort) => sum + (cohort.returned[n] ?? 0), 0),
    }
  })
  return { cohorts, total }
}

/** A cell is complete when its whole period lies before the end of `to` and is over as of the stored stream's clock. */
const completeness = ({ interval, from, to, zone, periods }: Asked, { asOf }: QuestionContext) => {
  const today = createZone(zone).day(asOf)
  const last = [addDays(to, 1), today].sort()[0]!
  const first = startOf(interval, from)
  // Asked of the cohorts that there are, by halving: `from` and `to` can be a century apart, and this blocks all others.
  const completeUpTo = (at: string): number => {
    let [below, above] = [0, periods + 2]
    while (above - below > 1) {
      const middle = (below + above) >> 1
      if (stepFrom(interval, at, middle) <= last) below = middle
      else above = middle
    }
    return below
  }
  return (at: string): readonly boolean[] => {
    if (at < first || at > to) return []
    const end = completeUpTo(at)
    return Array.from({ length: periods + 1 }, (_, n) => n < end)
  }
}
