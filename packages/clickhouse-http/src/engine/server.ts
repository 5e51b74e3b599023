import { createHash, timingSafeEqual } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { StoreError, type ColumnStore, type Ids } from '@millrace/ports'
import { commonHeaders, sendAnswer } from '../answer.ts'
import { credentialsOf, type Credentials } from '../credentials.ts'
import { killStatement, onDeparture, taggedSql } from '../departure.ts'
import { READONLY, Refused } from '../guard/refused.ts'
import { sendProblem } from '../problem.ts'
import { bodyBytes, header, plainId, takesGzip } from '../request.ts'
import { readSettings } from './settings.ts'
import { isTree, readStatement, type RowFormat } from './statement.ts'

type Settings = Readonly<Record<string, string>>

/** ClickHouse in this process, with settings for each statement. */
export interface Engine {
  readonly store: ColumnStore
  command(sql: string, settings: Settings): Promise<void>
  insert(insert: EngineInsert, settings: Settings): Promise<void>
}

export interface EngineInsert {
  readonly table: string
  readonly columns?: readonly string[]
  readonly format: RowFormat
  readonly rows: Uint8Array
}

export interface EngineHttpDeps {
  readonly engine: Engine
  readonly ids: Ids
  readonly logger: { warn(fields: object, message: string): void }
  /** The one user, who may do everything. */
  readonly user: Credentials
}

export interface EngineHttpConfig {
  readonly bodyBytesMax: number
  /** Of an answer that is held back with `wait_end_of_query`. */
  readonly wholeBytesMax: number
}

export const engineHttpDefaults: EngineHttpConfig = { bodyBytesMax: 256 * 1024 * 1024, wholeBytesMax: 256 * 1024 * 1024 }

/**
 * ClickHouse's HTTP protocol for Millrace's own services, not yet listening: no guard, one user, every statement. It
 * stands in for a server where there is none, so what it answers is what the server answers.
 */
export const createEngineServer = (deps: EngineHttpDeps, config = engineHttpDefaults): FastifyInstance => {
  const app = fastify({ bodyLimit: config.bodyBytesMax, forceCloseConnections: true, keepAliveTimeout: 10_000 })
  const ok = (reply: FastifyReply) => reply.headers(commonHeaders).type('text/html; charset=UTF-8').send('Ok.\n')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  // Before a body is read: a stranger's could be large.
  app.addHook('onRequest', async (request) => {
    checkNoPage(request)
    if (request.url.startsWith('/?') || request.url === '/') checkUser(deps.user, credentialsOf(urlOf(request).searchParams, request.headers))
  })
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, asKnown(error, config), deps.ids.uuid()))
  app.get('/ping', async (_request, reply) => ok(reply))
  app.get('/replicas_status', async (_request, reply) => ok(reply))
  app.route({
    method: ['GET', 'POST'],
    url: '/',
    handler: async (request, reply) => {
      const queryId = deps.ids.uuid()
      try {
        await answer(deps, config, { request, reply, queryId, parameters: urlOf(request).searchParams })
      } catch (error) {
        sendProblem(reply, error, queryId)
      }
      return reply
    },
  })
  return app
}

const urlOf = (request: FastifyRequest): URL => new URL(request.url, 'http://localhost')

const TOO_MANY_BYTES = 307

/** What fastify refuses by itself. */
const asKnown = (error: unknown, { bodyBytesMax }: EngineHttpConfig): unknown =>
  (error as { code?: unknown }).code === 'FST_ERR_CTP_BODY_TOO_LARGE' ? new StoreError(TOO_MANY_BYTES, `a request of more than ${bodyBytesMax} bytes`) : error

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly queryId: string
  readonly parameters: URLSearchParams
}

const answer = async (deps: EngineHttpDeps, config: EngineHttpConfig, exchange: Exchange): Promise<void> => {
  const { request, parameters, reply } = exchange
  const settings = readSettings(parameters)
  const body = await bodyBytes(request.headers, Buffer.isBuffer(request.body) ? request.body : null, config.bodyBytesMax)
  const head = parameters.get('query') ?? ''
  const statement = readStatement(head)
  if (request.method !== 'POST' && statement.kind !== 'question' && head.trim() !== '') throw new Refused(ONLY_READS, READONLY)
  if (statement.kind === 'insert') {
    const { kind: _, columns, ...insert } = statement
    if (body.length > 0) await deps.engine.insert({ ...insert, ...(columns && { columns }), rows: body }, settings)
    return done(exchange)
  }
  const sql = [head, body.toString()].filter((part) => part !== '').join('\n')
  if (sql.trim() === '') return void reply.headers(commonHeaders).type('text/html; charset=UTF-8').send('Ok.\n')
  const whole = readStatement(sql)
  if (whole.kind === 'question') return ask(deps, config, exchange, { ...whole, settings })
  await deps.engine.command(sql, settings)
  done(exchange)
}

const done = ({ reply, queryId, parameters }: Exchange): void =>
  void reply
    .headers({ ...commonHeaders, 'X-ClickHouse-Query-Id': plainId(parameters.get('query_id')) ?? queryId, 'X-ClickHouse-Summary': '{}' })
    .type('text/plain; charset=UTF-8')
    .send('')

interface Question {
  readonly sql: string
  readonly format: string | null
  readonly settings: Settings
}

const ask = async (
  { engine: { store }, ids, logger }: EngineHttpDeps,
  { wholeBytesMax }: EngineHttpConfig,
  { request, reply, queryId, parameters }: Exchange,
  { sql, format: named, settings }: Question,
): Promise<void> => {
  const format = named ?? parameters.get('default_format') ?? header(request.headers, 'x-clickhouse-format') ?? 'TabSeparated'
  // In process, settings stand in the statement's text: a tree would show them as a part of it.
  const chunks = store.stream(taggedSql(queryId, sql), format, isTree(sql) ? {} : { settings })
  reply.hijack()
  const stopWatching = onDeparture(reply, () => killStatement({ columns: store, logger }, queryId))
  try {
    await sendAnswer(reply.raw, chunks, {
      format,
      queryId: plainId(parameters.get('query_id')) ?? queryId,
      tag: ids.secret(8),
      gzip: takesGzip(parameters, request.headers),
      whole: parameters.get('wait_end_of_query') === '1',
      wholeBytesMax,
    })
  } finally {
    stopWatching()
  }
}

const ONLY_READS = 'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries'

/** Any page in a browser of this machine may ask 127.0.0.1, where a password is not asked for; services are no browsers. */
const checkNoPage = ({ headers }: FastifyRequest): void => {
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) throw new Refused('web pages may not ask the engine')
}

const AUTHENTICATION_FAILED = 516

const checkUser = (user: Credentials, given: Credentials): void => {
  if (given.user === user.user && timingSafeEqual(digest(given.password), digest(user.password))) return
  throw new Refused(
    `${given.user}: Authentication failed: password is incorrect, or there is no user with such name`,
    AUTHENTICATION_FAILED,
  )
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
