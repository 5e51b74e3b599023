import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import { READONLY, Refused } from './guard/refused.ts'
import { SAFE_SETTINGS } from './guard/statement.ts'

export interface RawRequest {
  readonly parameters: URLSearchParams
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer | null
}

/** What one HTTP request asks for. */
export interface Asked {
  readonly sql: string
  readonly format: string | null
  readonly queryId: string | null
  readonly settings: Readonly<Record<string, string | number>>
  readonly parameters: ReadonlyMap<string, string>
  readonly gzip: boolean
  /** Hold the answer back until it is whole, so that an error can be told in the status. */
  readonly whole: boolean
}

const UNKNOWN_DATABASE = 81
const CANNOT_DECOMPRESS = 271

/** Parameters of the protocol, and settings that clients send by habit and that change no answer. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  'add_http_cors_header', 'buffer_size', 'cancel_http_readonly_queries_on_client_close', 'client_protocol_version',
  'compress', 'connect_timeout', 'database', 'default_format', 'enable_http_compression', 'extremes',
  'http_headers_progress_interval_ms', 'http_zlib_compression_level', 'log_comment', 'log_queries', 'max_block_size',
  'max_threads', 'output_format_parallel_formatting', 'password', 'query', 'query_id', 'quota_key', 'readonly',
  'receive_timeout', 'result_overflow_mode', 'role', 'send_progress_in_http_headers', 'send_timeout', 'session_check',
  'session_id', 'session_timeout', 'stacktrace', 'timeout_overflow_mode', 'use_query_cache', 'user',
  'wait_end_of_query',
])

/** Limits that a request may lower. */
const LIMITS = ['max_execution_time', 'max_result_rows', 'max_result_bytes', 'max_memory_usage'] as const
export type Limits = Readonly<Record<(typeof LIMITS)[number], number>>

/** @throws Refused for a database or a setting that is not available, and for a body that cannot be read */
export const readRequest = async ({ parameters, headers, body }: RawRequest, limits: Limits): Promise<Asked> => {
  const database = parameters.get('database') || header(headers, 'x-clickhouse-database') || 'millrace'
  if (database !== 'millrace' && database !== 'default') throw new Refused(`Database ${database} does not exist`, UNKNOWN_DATABASE)
  if (parameters.get('compress') === '1') throw new Refused('compress=1 is not available: use enable_http_compression=1')
  return {
    sql: [parameters.get('query') ?? '', (await bodyBytes(headers, body, BODY_BYTES_MAX)).toString()].filter((part) => part !== '').join('\n'),
    format: parameters.get('default_format') ?? header(headers, 'x-clickhouse-format'),
    queryId: plainId(parameters.get('query_id') ?? header(headers, 'x-clickhouse-query-id')),
    settings: readSettings(parameters, limits),
    parameters: new Map(
      [...parameters].filter(([name]) => name.startsWith('param_')).map(([name, value]) => [name.slice(6), value]),
    ),
    gzip: takesGzip(parameters, headers),
    whole: parameters.get('wait_end_of_query') === '1',
  }
}

export const takesGzip = (parameters: URLSearchParams, headers: RawRequest['headers']): boolean =>
  parameters.get('enable_http_compression') === '1' && /\bgzip\b/.test(header(headers, 'accept-encoding') ?? '')

/** It goes back in a header, so it may hold plain characters only. */
export const plainId = (id: string | null): string | null => (id !== null && /^[\w.:-]{1,100}$/.test(id) ? id : null)

export const header = (headers: RawRequest['headers'], name: string): string | null => {
  const value = headers[name]
  return typeof value === 'string' ? value : null
}

const BODY_BYTES_MAX = 1024 * 1024

const unzip = { gzip: promisify(gunzip), deflate: promisify(inflate) }

/** The body as it was before it was compressed. @throws Refused */
export const bodyBytes = async (headers: RawRequest['headers'], body: Buffer | null, bytesMax: number): Promise<Buffer> => {
  if (!body || body.length === 0) return Buffer.alloc(0)
  const encoding = header(headers, 'content-encoding')
  if (encoding === null || encoding === 'identity') return body
  if (encoding !== 'gzip' && encoding !== 'deflate') throw new Refused(`Content-Encoding ${encoding} is not available`)
  return unzip[encoding](body, { maxOutputLength: bytesMax }).catch(() => {
    throw new Refused(`the body is no ${encoding} of at most ${bytesMax} bytes`, CANNOT_DECOMPRESS)
  })
}

const readSettings = (parameters: URLSearchParams, limits: Limits): Record<string, string | number> => {
  const settings: Record<string, string | number> = { ...limits }
  for (const [name, value] of parameters) {
    if (name.startsWith('param_')) continue
    const limit = LIMITS.find((candidate) => candidate === name)
    if (limit) settings[limit] = lowered(limits[limit], Number(value))
    else if (SAFE_SETTINGS.has(name)) settings[name] = value
    else if (!PASSED_OVER.has(name)) throw new Refused(`the setting ${name} cannot be changed`, READONLY)
  }
  return settings
}

/** 0 asks for no limit, which nobody gets. */
const lowered = (limit: number, asked: number): number => (asked > 0 && asked < limit ? asked : limit)

const STREAMED =
  /^(Native|RowBinary|TSV|TabSeparated|CSV|JSONEachRow|JSONLines|NDJSON|JSONCompactEachRow|JSONStringsEachRow|JSONCompactStringsEachRow|LineAsString|Null)(WithNames|WithNamesAndTypes)?$|^(TSVRaw|TabSeparatedRaw|Raw)$/

/** The column store gives these formats in one piece, which has to fit into memory. */
export const framedAtOnce = (format: string): boolean => !STREAMED.test(format)
