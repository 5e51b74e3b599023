import { StoreError } from '@millrace/ports'
import { Refused } from './guard/refused.ts'

export interface Problem {
  readonly status: number
  readonly code: number
  readonly text: string
}

const NAMES: Readonly<Record<number, string>> = {
  36: 'BAD_ARGUMENTS', 48: 'NOT_IMPLEMENTED', 81: 'UNKNOWN_DATABASE', 159: 'TIMEOUT_EXCEEDED', 164: 'READONLY',
  202: 'TOO_MANY_SIMULTANEOUS_QUERIES', 271: 'CANNOT_DECOMPRESS', 307: 'TOO_MANY_BYTES', 396: 'TOO_MANY_ROWS_OR_BYTES',
  456: 'UNKNOWN_QUERY_PARAMETER', 497: 'ACCESS_DENIED', 516: 'AUTHENTICATION_FAILED', 1002: 'UNKNOWN_EXCEPTION',
}

/**
 * As the server gives them, all others 500; but where it says 500 to what a client can mend or should try again later
 * (164, 202, 271, 307, 456) we say so.
 */
const STATUS: Readonly<Record<number, number>> = {
  6: 400, 8: 400, 15: 400, 25: 400, 26: 400, 27: 400, 36: 400, 38: 400, 41: 400, 44: 400, 53: 400, 62: 400, 72: 400, 117: 400, 271: 400,
  321: 400, 427: 400, 456: 400, 194: 401, 164: 403, 192: 403, 193: 403, 497: 403, 516: 403, 46: 404, 47: 404, 50: 404, 56: 404, 60: 404,
  63: 404, 73: 404, 81: 404, 115: 404, 159: 408, 307: 413, 48: 501, 202: 503, 209: 503,
}

const UNKNOWN = 1002

/** A fault in ClickHouse's own form, and the status that clients expect with it. */
export const problemOf = (error: unknown): Problem => {
  const known = error instanceof Refused || error instanceof StoreError
  const code = known && error.code > 0 ? error.code : UNKNOWN
  const message = known ? error.message : 'the statement could not be answered'
  const text = message.startsWith('Code: ') ? message : `Code: ${code}. DB::Exception: ${message}. (${NAMES[code] ?? 'ERROR'})`
  return { status: STATUS[code] ?? 500, code, text }
}

/**
 * An error behind bytes that were sent already, as ClickHouse 25.11 and later write it: between two markers, under the
 * tag that the response's header named, so that no row can be taken for it.
 */
export const exceptionBlock = (text: string, tag: string): Buffer => {
  const message = `${text}\n`
  return Buffer.from(
    `\r\n__exception__\r\n${tag}\r\n${message}${Buffer.byteLength(message)} ${tag}\r\n__exception__\r\n`,
  )
}
