import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { StoreError, type ColumnStore, type Insert } from '@millrace/ports'
import { createPool, type Pool } from './pool.ts'
import { createRetry, type Retry } from './server-retry.ts'
import { openRequests, type Requests, type Statement } from './server-request.ts'
import { asSubquery, insertPrefixSettings, settingsClause } from './statement.ts'

export interface ClickHouseOptions {
  /** `http://host:8123` or `https://host:8443`. */
  readonly url: string
  readonly username: string
  readonly password: string
  /** Sockets, so statements at once. */
  readonly connections?: number
  /** Statements of a lane that may wait for a socket; one more is refused with code 202. */
  readonly waitingMax?: number
  /** How long connecting may take. */
  readonly connectMsMax?: number
  /** How long the server may be silent within a statement; longer than any limit of time that statements carry. */
  readonly answerMsMax?: number
  /** Of a question and of an insert with its token, whose repeats are safe. */
  readonly attemptsMax?: number
  /** What `query` may hold in memory. */
  readonly answerBytesMax?: number
  /** Inserts of at least so many bytes are sent as gzip. Default: never to this machine, else 64 KiB. */
  readonly gzipBytesMin?: number
  /** Replicas that must have an insert before it counts; for Replicated tables. */
  readonly insertQuorum?: number | 'auto'
  /** Called at named points, so that a test can kill the process there. */
  readonly probe?: (point: string) => void
}

type Settings = Readonly<Record<string, string | number>>

/**
 * A ClickHouse server over HTTP. Settings travel with their request and there are no sessions, so none can stick.
 * Every statement names its database.
 */
export const createClickHouseStore = (options: ClickHouseOptions): ColumnStore => {
  const { connections = 8, waitingMax = 200, connectMsMax = 5_000, answerMsMax = 330_000, attemptsMax = 4 } = options
  const requests = openRequests({ ...options, sockets: connections, connectMsMax, answerMsMax })
  const pool = createPool({ size: connections, waitingMax, open: () => ({}), close: async () => {} })
  const retry = createRetry(attemptsMax)
  const wiring = { requests, pool, retry }
  let closed = false
  return {
    command: (sql) =>
      pool.run(() => retry('once', async () => void (await gathered(await requests.send({ sql, settings: WHOLE }), ANSWER_BYTES_MAX))), 'work'),
    query: async <Row>(sql: string, { settings }: { settings?: Settings } = {}) =>
      rowsIn<Row>(await answerOf(wiring, questionOf(sql, 'JSONEachRow', { ...settings, ...WHOLE }), options.answerBytesMax ?? ANSWER_BYTES_MAX)),
    stream: (sql, format, { settings } = {}) => streamOf(wiring, questionOf(sql, format, settings)),
    insert: (insert) => insertInto(wiring, insert, options),
    close: async () => {
      if (closed) return
      closed = true
      await pool.close()
      await requests.close()
    },
  }
}

interface Wiring {
  readonly requests: Requests
  readonly pool: Pool<object>
  readonly retry: Retry
}

const ANSWER_BYTES_MAX = 256 * 1024 * 1024
/** The server holds the answer back until it is whole, so that an error is told in the status. */
const WHOLE: Settings = { wait_end_of_query: 1 }

/** A question ends with its reader; numbers have the form that chDB gives them, whatever the server's version. */
const questionOf = (sql: string, format: string, settings: Settings = {}): Statement => ({
  sql: asSubquery(sql, checked(settings)),
  settings: {
    output_format_json_quote_64bit_integers: 0,
    output_format_json_quote_denormals: 0,
    cancel_http_readonly_queries_on_client_close: 1,
    ...settings,
    default_format: format,
  },
})

const checked = (settings: Settings): Settings => {
  settingsClause(settings)
  return settings
}

const answerOf = ({ pool, retry, requests }: Wiring, statement: Statement, bytesMax: number): Promise<Buffer> =>
  pool.run(() => retry('again', async () => gathered(await requests.send(statement), bytesMax)), 'work')

const gathered = async (chunks: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) throw new StoreError(TOO_LARGE, `Code: 396. DB::Exception: an answer of more than ${bytesMax} bytes. (TOO_MANY_ROWS_OR_BYTES)`)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

const TOO_LARGE = 396

const rowsIn = <Row>(bytes: Buffer): readonly Row[] => {
  const lines = bytes.toString().split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => JSON.parse(line) as Row)
}

/** Asked again only until the head of the answer is there: what was given cannot be taken back. */
async function* streamOf({ pool, retry, requests }: Wiring, statement: Statement): AsyncIterable<Uint8Array> {
  const socket = await pool.take('work')
  try {
    yield* await retry('again', () => requests.send(statement))
  } finally {
    await pool.give(socket, 'clean')
  }
}

const compress = promisify(gzip)

const insertInto = async ({ pool, retry, requests }: Wiring, { table, rows, token }: Insert, options: ClickHouseOptions): Promise<void> => {
  if (rows.byteLength === 0) return
  const statement = { sql: `INSERT INTO ${tableName(table)} FORMAT JSONEachRow`, settings: insertSettings(token, options) }
  options.probe?.(`store.insert.before ${table}`)
  await pool.run(async () => {
    const zip = rows.byteLength >= (options.gzipBytesMin ?? (isThisMachine(options.url) ? Infinity : GZIP_BYTES_MIN))
    const body = { bytes: zip ? await compress(rows, { level: constants.Z_BEST_SPEED }) : rows, gzip: zip }
    await retry('again', async () => gathered(await requests.send({ ...statement, body }), ANSWER_BYTES_MAX))
  }, 'insert')
  options.probe?.(`store.insert.after ${table}`)
}

const GZIP_BYTES_MIN = 64 * 1024

const insertSettings = (token: string, { insertQuorum }: ClickHouseOptions): Settings => ({
  ...insertPrefixSettings(token),
  ...WHOLE,
  ...(insertQuorum === undefined ? {} : { insert_quorum: insertQuorum }),
})

const isThisMachine = (url: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)

const BAD_ARGUMENTS = 36

const tableName = (table: string): string => {
  if (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)?$/.test(table)) return table
  throw new StoreError(BAD_ARGUMENTS, `not the name of a table: ${JSON.stringify(table)}`)
}
