import {
  ProblemError,
  type Definition,
  type FunnelAnswer,
  type FunnelQuestion,
  type Project,
  type RetentionAnswer,
  type RetentionQuestion,
  type TrendsAnswer,
  type TrendsQuestion,
} from '@millrace/contracts'
import {
  planFunnel,
  planRetention,
  planTrends,
  QuestionTooLarge,
  type Plan,
  type QuestionContext,
  type Row,
} from '@millrace/metric-catalog'
import { StoreError, type ColumnStore } from '@millrace/ports'
import { STORE_DATABASE, unsigned } from '@millrace/warehouse'
import { warehouseSchema } from './schema.ts'

export interface QueryBounds {
  readonly queryMsMax: number
  readonly queryMemoryBytesMax: number
  readonly queryRowsMax: number
}

export interface Asking {
  readonly columns: Pick<ColumnStore, 'query'>
  readonly bounds: QueryBounds
}

/** Settings of a bounded statement: over a bound it fails, and never gives a part of the answer. */
export const boundedBy = ({ queryMsMax, queryMemoryBytesMax, queryRowsMax }: QueryBounds) => ({
  max_execution_time: Math.max(1, Math.ceil(queryMsMax / 1000)),
  timeout_overflow_mode: 'throw',
  max_memory_usage: queryMemoryBytesMax,
  max_result_rows: queryRowsMax,
  result_overflow_mode: 'throw',
})

type Pinned = Pick<Project, 'id' | 'zone' | 'currency'>
type Options = Pick<QuestionContext, 'readFrom'>

export const askTrends = async (asking: Asking, project: Pinned, question: TrendsQuestion, options?: Options): Promise<TrendsAnswer> => {
  const { result, definition } = await ask(asking, project, (context) => planTrends(warehouseSchema, question, context), options)
  return { series: result, definition }
}

export const askRetention = async (asking: Asking, project: Pinned, question: RetentionQuestion, options?: Options): Promise<RetentionAnswer> => {
  const { result, definition } = await ask(asking, project, (context) => planRetention(warehouseSchema, question, context), options)
  return { ...result, definition }
}

export const askFunnel = async (asking: Asking, project: Pinned, question: FunnelQuestion, options?: Options): Promise<FunnelAnswer> => {
  const { result, definition } = await ask(asking, project, (context) => planFunnel(warehouseSchema, question, context), options)
  return { ...result, definition }
}

const ask = async <Question, Result>(
  { columns, bounds }: Asking,
  project: Pinned,
  planOf: (context: QuestionContext) => Plan<Question, Result>,
  options: Options = {},
): Promise<{ readonly result: Result; readonly definition: Definition<Question> }> => {
  // Freshness is read first: what comes in meanwhile may be in the answer, what is named is.
  const fresh = await freshnessOf(columns, project.id)
  const context = { project: project.id, zone: project.zone, currency: project.currency, asOf: fresh.clock, ...options }
  try {
    const { question, readFrom, sql, read } = planOf(context)
    const settings = boundedBy(bounds)
    const rows = await Promise.all(sql.map((statement) => columns.query<Row>(statement, { settings })))
    const { newestReceivedAt, mapVersion } = fresh
    return {
      result: read(rows),
      definition: { question, zone: question.zone, freshness: { newestReceivedAt, mapVersion }, exact: true, readFrom, sql },
    }
  } catch (error) {
    if (error instanceof QuestionTooLarge) throw new ProblemError(error.code, error.message)
    if (error instanceof StoreError && OVERFLOWS.has(error.code))
      throw new ProblemError('UNPROCESSABLE', 'a value of the property is too large to be summed exactly')
    if (error instanceof StoreError && error.code === BAD_ARGUMENTS && error.message.includes('Cannot load time zone'))
      throw new ProblemError('QUESTION_INVALID', 'zone: the column store does not know this name; ask by that of a city, like Asia/Shanghai')
    throw error
  }
}

/** Of the column store, which has its own list of zones: `PST` is one for the language and none for it. */
const BAD_ARGUMENTS = 36

/** ARGUMENT_OUT_OF_BOUND and DECIMAL_OVERFLOW. */
const OVERFLOWS: ReadonlySet<number> = new Set([69, 407])

export type Freshness = Definition<unknown>['freshness'] & {
  /** The clock of the stored stream: the newest time that any of its partitions has seen. */
  readonly clock: number
}

export const freshnessOf = async (columns: Pick<ColumnStore, 'query'>, project: number): Promise<Freshness> => {
  const id = unsigned(project)
  const [row] = await columns.query<{ newest: number; clock: number; version: number }>(
    `SELECT (SELECT toUnixTimestamp64Milli(max(received_at)) FROM ${STORE_DATABASE}.events WHERE project = ${id}) AS newest,` +
      ` (SELECT toUnixTimestamp64Milli(max(at)) FROM ${STORE_DATABASE}.clock) AS clock,` +
      ` (SELECT max(version) FROM ${STORE_DATABASE}.numbers WHERE project = ${id}) AS version`,
  )
  const newest = Number(row?.newest ?? 0)
  return {
    newestReceivedAt: newest > 0 ? new Date(newest).toISOString() : null,
    clock: Number(row?.clock ?? 0),
    mapVersion: Number(row?.version ?? 0),
  }
}
