import fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyReply, type FastifyRequest } from 'fastify'
import type { ColumnStore, Ids } from '@millrace/ports'
import { commonHeaders, sendAnswer } from './answer.ts'
import { createProjectDatabase } from './catalogue.ts'
import { credentialsOf } from './credentials.ts'
import { createGuard, type Guard } from './guard/guard.ts'
import { Refused } from './guard/refused.ts'
import { killStatement, onDeparture, taggedSql } from './departure.ts'
import { sendProblem } from './problem.ts'
import { framedAtOnce, readRequest, type Limits } from './request.ts'
import { createSlots } from './slots.ts'

export interface ClickHouseHttpDeps {
  readonly columns: ColumnStore
  readonly ids: Ids
  /** The project whose API key this is, or null. */
  readonly authenticate: (password: string) => Promise<number | null> | number | null
  readonly logger: { warn(fields: object, message: string): void }
}

export interface ClickHouseHttpConfig {
  readonly limits: Limits
  /** Statements that run at once, and that wait. */
  readonly runningMax: number
  readonly waitingMax: number
  /** Formats that cannot be streamed are held in memory, so they are bounded more closely; as text they grow. */
  readonly wholeRowsMax: number
  readonly wholeBytesMax: number
}

export const clickHouseHttpDefaults: ClickHouseHttpConfig = {
  limits: { max_execution_time: 60, max_result_rows: 10_000_000, max_result_bytes: 4_000_000_000, max_memory_usage: 700_000_000 },
  runningMax: 2,
  waitingMax: 50,
  wholeRowsMax: 500_000,
  wholeBytesMax: 32_000_000,
}

const AUTHENTICATION_FAILED = 516

/** ClickHouse's HTTP protocol for analysts, not yet listening. */
export const createClickHouseServer = (deps: ClickHouseHttpDeps, config = clickHouseHttpDefaults): FastifyInstance => {
  const server = fastify({ bodyLimit: 1024 * 1024, forceCloseConnections: true })
  server.register(clickHouseRoutes(deps, config))
  return server
}

/** The same as routes. They take every content type as bytes, so they want a scope of their own. */
export const clickHouseRoutes = (deps: ClickHouseHttpDeps, config = clickHouseHttpDefaults): FastifyPluginAsync => async (app) => {
  const context: Context = {
    ...deps,
    config,
    guard: await createGuard(deps.columns),
    slots: createSlots(config.runningMax, config.waitingMax),
    prepared: new Map(),
  }
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.get('/ping', async (_request, reply) => reply.headers(commonHeaders).type('text/html; charset=UTF-8').send('Ok.\n'))
  app.get('/replicas_status', async (_request, reply) => reply.headers(commonHeaders).type('text/html; charset=UTF-8').send('Ok.\n'))
  app.route({ method: ['GET', 'POST'], url: '/', handler: (request, reply) => handle(context, request, reply) })
}

interface Context extends ClickHouseHttpDeps {
  readonly config: ClickHouseHttpConfig
  readonly guard: Guard
  readonly slots: ReturnType<typeof createSlots>
  /** Projects whose database stands, as of this start. */
  readonly prepared: Map<number, Promise<void>>
}

const handle = async (context: Context, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const queryId = context.ids.uuid()
  try {
    const url = new URL(request.url, 'http://localhost')
    const body = Buffer.isBuffer(request.body) ? request.body : null
    const project = await projectOf(context, url.searchParams, request)
    const asked = await readRequest({ parameters: url.searchParams, headers: request.headers, body }, context.config.limits)
    if (asked.sql.trim() === '') return reply.headers(commonHeaders).type('text/html; charset=UTF-8').send('Ok.\n')
    await prepare(context, project)
    const release = await context.slots.take()
    try {
      // Who left while waiting gets no statement run.
      if (reply.raw.destroyed) return reply
      const guarded = await context.guard(asked.sql, project, asked.parameters)
      const format = checkedFormat(guarded.format ?? asked.format ?? 'TabSeparated')
      const whole = asked.whole || framedAtOnce(format)
      const settings = settingsOf(asked.settings, whole, context.config)
      const chunks = context.columns.stream(taggedSql(queryId, guarded.sql), format, { settings })
      reply.hijack()
      const stopWatching = onDeparture(reply, () => killStatement(context, queryId))
      try {
        await sendAnswer(reply.raw, chunks, {
          format, queryId: asked.queryId ?? queryId, tag: context.ids.secret(8), gzip: asked.gzip, whole: asked.whole,
        })
      } finally {
        stopWatching()
      }
    } finally {
      release()
    }
  } catch (error) {
    sendProblem(reply, error, queryId)
  }
  return reply
}

const projectOf = async (context: Context, parameters: URLSearchParams, request: FastifyRequest): Promise<number> => {
  const { user, password } = credentialsOf(parameters, request.headers)
  const project = user === 'analyst' ? await context.authenticate(password) : null
  if (project !== null) return project
  throw new Refused('Authentication failed: the user is analyst, the password an API key', AUTHENTICATION_FAILED)
}

/** The first request of a project makes its views; one that failed is tried again by the next. */
const prepare = (context: Context, project: number): Promise<void> => {
  const known = context.prepared.get(project)
  if (known) return known
  const made = createProjectDatabase(context.columns, project)
  context.prepared.set(project, made)
  made.catch(() => context.prepared.delete(project))
  return made
}

const WIRE_FORMATS = /^(MySQLWire|PostgreSQLWire|ODBCDriver2|Template|TemplateIgnoreSpaces|CapnProto|Protobuf\w*)$/
const UNKNOWN_FORMAT = 73

const checkedFormat = (format: string): string => {
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(format) || WIRE_FORMATS.test(format)) throw new Refused(`Unknown format ${format}`, UNKNOWN_FORMAT)
  return format
}

/** Over a limit is an error, never a shorter answer. */
const settingsOf = (
  asked: Readonly<Record<string, string | number>>,
  whole: boolean,
  { wholeBytesMax, wholeRowsMax }: ClickHouseHttpConfig,
): Record<string, string | number> => ({
  ...asked,
  max_result_rows: Math.min(Number(asked.max_result_rows), whole ? wholeRowsMax : Infinity),
  max_result_bytes: Math.min(Number(asked.max_result_bytes), whole ? wholeBytesMax : Infinity),
  result_overflow_mode: 'throw',
  timeout_overflow_mode: 'throw',
  readonly: 1,
})
