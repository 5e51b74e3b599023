/**
 * What the questions need to know of the warehouse, given by whoever asks: this package imports no store.
 * Every function answers a piece of SQL. Columns of `events` that are read: project, number, type, event, timestamp,
 * day (of the project's zone), revenue, currency; of `eventDay`: project, event (`*` for any activity), day,
 * numbers (bitmap), events (how many).
 */
export interface MetricSchema {
  readonly events: string
  readonly eventDay: string
  /** Checked literals. */
  readonly text: (value: string) => string
  readonly number: (value: number) => string
  /** Number of the person that holds a number today. */
  readonly person: (project: number, number: string) => string
  /** Condition on a row of either table: it belongs to somebody. */
  readonly somebody: string
  /** Maps of `events` from a property's name to its value, by type. */
  readonly texts: string
  readonly numbers: string
  /** Holds 0 and 1. */
  readonly booleans: string
  /** Condition: the event has a value of any kind, lists and objects too, under this name (a checked literal). */
  readonly exists: (name: string) => string
}

/** Who asks, and as of when. */
export interface QuestionContext {
  readonly project: number
  /** The project's zone: the aggregates are kept by its days. */
  readonly zone: string
  readonly currency: string
  /** The clock of the stored stream: a period that ends later is not over. */
  readonly asOf: number
  /** `events` where aggregates must not be used (tests hold both equal). */
  readonly readFrom?: 'events'
}

/** A question made ready: run the statements in order and hand their rows to `read`. */
export interface Plan<Question, Result> {
  readonly question: Question & { readonly zone: string }
  readonly readFrom: 'events' | 'aggregates'
  readonly sql: readonly string[]
  readonly read: (rows: readonly (readonly Row[])[]) => Result
}

export type Row = Readonly<Record<string, unknown>>

/** The question is well formed, but its answer would be larger than a bound. */
export class QuestionTooLarge extends Error {
  override readonly name = 'QuestionTooLarge'
  readonly code = 'QUERY_TOO_LARGE'
}
