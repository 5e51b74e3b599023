import { type ErrorCode, errors, ProblemError } from '@millrace/contracts'
import { LogUnavailable, StoreError } from '@millrace/ports'
import { ZodError } from 'zod'

/** RFC 9457, with a stable `code` and the id under which the log tells more. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail: string
  readonly requestId: string
  readonly faults?: readonly unknown[]
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

export const toProblem = (error: ProblemError, requestId: string): Problem => ({
  type: `urn:millrace:problem:${error.code}`,
  title: errors[error.code].title,
  status: error.status,
  code: error.code,
  detail: error.message,
  requestId,
  ...(error.faults ? { faults: error.faults } : {}),
})

/** Any fault as a problem. What is not known is INTERNAL, and its text stays in the log. */
export const problemOf = (error: unknown): ProblemError => {
  if (error instanceof ProblemError) return error
  if (error instanceof LogUnavailable) return new ProblemError(error.code, error.message, { retryAfterSeconds: error.retryAfterSeconds })
  if (error instanceof ZodError) return new ProblemError('BAD_REQUEST', told(error), { faults: faultsOf(error) })
  if (error instanceof StoreError) return problemOfStore(error)
  const { code, statusCode, message } = error as { code?: unknown; statusCode?: unknown; message?: string }
  if (typeof code === 'string' && Object.hasOwn(errors, code)) return new ProblemError(code as ErrorCode, message)
  const known = typeof code === 'string' ? FASTIFY.get(code) : undefined
  if (known) return new ProblemError(known)
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return new ProblemError('BAD_REQUEST', message)
  return new ProblemError('INTERNAL')
}

/** Where in the input each fault lies, in the words of the schema. */
const faultsOf = (error: ZodError) => error.issues.map((issue) => ({ at: issue.path.join('.'), detail: issue.message }))

const told = (error: ZodError): string => {
  const [first] = faultsOf(error)
  return first ? `${first.at ? `${first.at}: ` : ''}${first.detail}` : errors.BAD_REQUEST.meaning
}

const FASTIFY: ReadonlyMap<string, ErrorCode> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'BODY_TOO_LARGE'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'MEDIA_TYPE_UNSUPPORTED'],
  ['FST_ERR_CTP_INVALID_JSON_BODY', 'NOT_JSON'],
  ['FST_ERR_CTP_EMPTY_JSON_BODY', 'NOT_JSON'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'BODY_UNREADABLE'],
  ['FST_ERR_MAX_PARAM_LENGTH', 'URI_TOO_LONG'],
  ['ECONNRESET', 'BODY_UNREADABLE'],
])

// ClickHouse's own codes: 159, 160 time; 158, 307, 396 rows and bytes; 241 memory.
const TIMEOUTS: ReadonlySet<number> = new Set([159, 160])
const BOUNDS: ReadonlySet<number> = new Set([158, 241, 307, 396])

// Not reached, too many statements, the net between replicas.
const UNAVAILABLE: ReadonlySet<number> = new Set([0, 202, 209, 210, 279])

const problemOfStore = (error: StoreError): ProblemError => {
  if (TIMEOUTS.has(error.code)) return new ProblemError('QUERY_TIMEOUT')
  if (BOUNDS.has(error.code)) return new ProblemError('QUERY_TOO_LARGE')
  return new ProblemError(UNAVAILABLE.has(error.code) ? 'STORE_UNAVAILABLE' : 'INTERNAL')
}
