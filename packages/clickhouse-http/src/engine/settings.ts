import { NOT_IMPLEMENTED, Refused } from '../guard/refused.ts'

/** Of the protocol; what is left in a URL are settings. */
const PROTOCOL: ReadonlySet<string> = new Set([
  'add_http_cors_header', 'buffer_size', 'cancel_http_readonly_queries_on_client_close', 'client_protocol_version', 'compress',
  'connect_timeout', 'database', 'decompress', 'default_format', 'enable_http_compression', 'http_headers_progress_interval_ms',
  'http_response_buffer_size', 'http_zlib_compression_level', 'password', 'query', 'query_id', 'quota_key', 'receive_timeout', 'role',
  'send_progress_in_http_headers', 'send_timeout', 'stacktrace', 'user', 'wait_end_of_query',
])

/** The settings of one statement. @throws Refused for what would have no effect */
export const readSettings = (parameters: URLSearchParams): Readonly<Record<string, string>> => {
  const settings: Record<string, string> = {}
  for (const [name, value] of parameters) {
    if (name.startsWith('param_')) throw unavailable('parameters of statements: write literals')
    if (name === 'session_id') throw unavailable('sessions: settings go with their statement')
    if ((name === 'compress' || name === 'decompress') && value === '1') throw unavailable(`${name}=1: use gzip`)
    if (name === 'database' && value !== '' && value !== 'default') throw unavailable(`database=${value}: name the database in the statement`)
    if (!PROTOCOL.has(name)) settings[name] = value
  }
  return settings
}

const unavailable = (what: string): Refused => new Refused(`not available here: ${what}`, NOT_IMPLEMENTED)
