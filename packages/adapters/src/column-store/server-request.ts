import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { StoreError } from '@millrace/ports'
import type { ClickHouseClient, createClient as CreateClient, ClickHouseLogLevel as LogLevel } from '@clickhouse/client'
import { boundedAgent } from './server-agent.ts'
import { exceptionOf, rowsBefore } from './server-exception.ts'

export interface RequestOptions {
  readonly url: string
  readonly username: string
  readonly password: string
  readonly sockets: number
  readonly connectMsMax: number
  readonly answerMsMax: number
}

export interface Statement {
  readonly sql: string
  readonly settings: Readonly<Record<string, string | number>>
  /** Rows behind an INSERT; as gzip where `gzip` says so. */
  readonly body?: { readonly bytes: Uint8Array; readonly gzip: boolean }
}

export interface Requests {
  /** The answer's bytes; whoever takes no more of them closes the socket. @throws StoreError, Broken */
  send(statement: Statement): Promise<AsyncIterable<Uint8Array>>
  close(): Promise<void>
}

/** Something between us and the server failed; code 0, so it passes for a StoreError. `unsent`: the server has certainly not seen the statement. */
export class Broken extends StoreError {
  readonly unsent: boolean
  constructor(message: string, unsent: boolean, cause: unknown) {
    super(0, message)
    this.unsent = unsent
    this.cause = cause
  }
}

const TIMEOUT_EXCEEDED = 159
const UNSENT: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'CONNECT_TIMEOUT'])

/** Statements over the official client, which is used for what it does well: requests over kept sockets. */
export const openRequests = (options: RequestOptions): Requests => {
  const client = connect(options)
  return {
    send: async (statement) => {
      const deadline = createDeadline(options.answerMsMax)
      try {
        const answer = await deadline.within((signal) => request(client, statement, signal))
        const { status, headers } = answer
        if (status === 200 && headers['x-clickhouse-exception-code'] === undefined) {
          return told(answer.stream, deadline, header(headers['x-clickhouse-exception-tag']))
        }
        throw await problemIn(answer, deadline)
      } catch (error) {
        throw faultOf(error, options)
      }
    },
    close: () => client.close(),
  }
}

const connect = ({ url, username, password, sockets, connectMsMax }: RequestOptions): ClickHouseClient => {
  // Loaded when chosen: the embedded wiring has no use for it.
  const { createClient, ClickHouseLogLevel } = createRequire(import.meta.url)('@clickhouse/client') as {
    createClient: typeof CreateClient
    ClickHouseLogLevel: typeof LogLevel
  }
  return createClient({
    url,
    username,
    password,
    application: 'millrace',
    // Times are held here: the client's own ends a stream whose reader is slow.
    request_timeout: 0,
    http_agent: boundedAgent({ secure: url.startsWith('https:'), sockets, connectMsMax, idleMs: 2_500 }),
    // Faults are thrown; the client would print them as well.
    log: { level: ClickHouseLogLevel.OFF },
  })
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly stream: Readable
}

const request = async (client: ClickHouseClient, { sql, settings, body }: Statement, signal: AbortSignal): Promise<Answer> => {
  const { stream, response_headers, http_status_code } = await client.exec({
    query: sql,
    clickhouse_settings: settings,
    abort_signal: signal,
    ignore_error_response: true,
    ...(body && {
      values: Readable.from([body.bytes], { objectMode: false }),
      http_headers: { 'Content-Length': String(body.bytes.byteLength), ...(body.gzip && { 'Content-Encoding': 'gzip' }) },
    }),
  })
  return { status: http_status_code ?? 0, headers: response_headers as Answer['headers'], stream }
}

async function* told(stream: Readable, deadline: Deadline, tag: string | null): AsyncIterable<Uint8Array> {
  try {
    yield* rowsBefore(piecesOf(stream, deadline), tag)
  } catch (error) {
    throw error instanceof StoreError ? error : new Broken(`the answer broke off: ${(error as Error).message}`, false, error)
  }
}

/** Only waiting for the server counts; how long the reader takes is the reader's affair. */
async function* piecesOf(stream: Readable, deadline: Deadline): AsyncIterable<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  try {
    for (;;) {
      const step = await deadline.within(() => iterator.next())
      if (step.done) return
      yield step.value
    }
  } finally {
    // What is not read to its end must not go back to the pool of sockets.
    stream.destroy()
  }
}

const PROBLEM_BYTES_MAX = 64 * 1024

const problemIn = async ({ status, headers, stream }: Answer, deadline: Deadline): Promise<Error> => {
  const code = header(headers['x-clickhouse-exception-code'])
  let text = ''
  for await (const piece of piecesOf(stream, deadline)) {
    text += Buffer.from(piece).toString()
    if (text.length > PROBLEM_BYTES_MAX) break
  }
  text = text.trim().slice(0, PROBLEM_BYTES_MAX)
  if (code !== null || /^Code: \d+/.test(text)) return exceptionOf(text, code === null ? undefined : Number(code))
  // Not ClickHouse's own answer: a proxy in front of it. What it refuses it refuses again.
  const message = `the column store answers HTTP ${status} ${text.slice(0, 200)}`
  return status >= 500 ? new Broken(message, false, undefined) : new StoreError(0, message)
}

const header = (value: string | readonly string[] | undefined): string | null => (typeof value === 'string' ? value : null)

const faultOf = (error: unknown, { url }: RequestOptions): Error => {
  if (error instanceof StoreError) return error
  const { code } = error as { code?: unknown }
  const why = error instanceof Error ? error.message || String(code) : String(error)
  return new Broken(`the column store at ${new URL(url).host} cannot be reached: ${why}`, UNSENT.has(code), error)
}

interface Deadline {
  /** @throws StoreError 159 when it takes longer */
  within<Done>(work: (signal: AbortSignal) => Promise<Done>): Promise<Done>
}

const createDeadline = (ms: number): Deadline => ({
  within: async (work) => {
    const controller = new AbortController()
    let late: NodeJS.Timeout | undefined
    try {
      return await Promise.race([
        work(controller.signal),
        new Promise<never>((_resolve, reject) => {
          late = setTimeout(() => {
            reject(new StoreError(TIMEOUT_EXCEEDED, `Code: 159. DB::Exception: the column store has not answered for ${ms} ms. (TIMEOUT_EXCEEDED)`))
            controller.abort()
          }, ms)
        }),
      ])
    } finally {
      clearTimeout(late)
    }
  },
})
