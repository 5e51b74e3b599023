import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, ProblemError, REQUEST_ID } from '@millrace/contracts'
import type { Ids } from '@millrace/ports'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify'
import { guard } from './guard.ts'
import type { Logger } from './logger.ts'
import { collectRoutes } from './openapi/routes.ts'
import { PROBLEM_TYPE, problemOf, toProblem } from './problem.ts'
import type { Caller } from './access.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls the API: set by `requireApiKey`, null elsewhere. */
    caller: Caller | null
  }
  interface FastifyInstance {
    /** Every route that was registered, for the document of the interface. */
    routesSoFar: () => readonly RouteOptions[]
    /** Whether it is being closed: what is answered now is the last of its connection. */
    isClosing: () => boolean
  }
  interface FastifyContextConfig {
    /** A path of a collection protocol: any web page may write to it, so Host and Origin are not checked. */
    collection?: boolean
  }
}

export interface HttpOptions {
  readonly logger: Logger
  readonly ids: Ids
  /** Names beside `localhost` and bare addresses under which Millrace is reached. */
  readonly hosts?: readonly string[]
  /** Proxies whose word counts for where a request came from. */
  readonly trustedProxies?: readonly string[]
  /** Bound of a body where a route names none. */
  readonly bodyBytesMax?: number
  /** A request must have arrived whole within this time. */
  readonly requestMsMax?: number
}

const BODY_BYTES_MAX = 1 << 20
const REQUEST_MS_MAX = 30_000
const QUERY_BYTES_MAX = 16_384
/** How often node looks for requests over their time. */
const CHECK_MS = 2_000

/**
 * A fastify with the house's answers: every fault is a problem with a code of the table; 404, 405, 413 and 415 too.
 * Nothing listens yet.
 */
export const createHttp = (options: HttpOptions): FastifyInstance => {
  const requestMsMax = options.requestMsMax ?? REQUEST_MS_MAX
  const ownId = countedIds(options.ids.uuid())
  const app = fastify({
    logger: false,
    ...(options.trustedProxies?.length ? { trustProxy: [...options.trustedProxies] } : {}),
    genReqId: ({ headers }) => givenId(headers['x-request-id']) ?? ownId(),
    bodyLimit: options.bodyBytesMax ?? BODY_BYTES_MAX,
    requestTimeout: requestMsMax,
    // While stopping, what still comes on an open connection is answered by its route, and told that the connection ends.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512 },
    // Node swaps the two times where that of the headers is longer, and by itself it is a minute.
    http: { maxHeaderSize: QUERY_BYTES_MAX, connectionsCheckingInterval: CHECK_MS, headersTimeout: requestMsMax },
    // Both are before any route and any hook: an address that cannot be read, and bytes that are no request.
    frameworkErrors: (error, request, reply) => void answerFault(options.logger, error, request, reply),
    clientErrorHandler: (error, socket) => answerSocket(error, socket, options.ids.uuid()),
  })
  // A client that has closed its own half still reads: by itself node ends the other half before the answer is there.
  ;(app.server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true
  const guarded = guard(options.hosts ?? [])
  app.addHook('onRoute', (route) => {
    if (!route.config?.collection) route.onRequest = [guarded, ...[route.onRequest ?? []].flat()]
  })
  const paths = watchPaths(app)
  app.decorate('routesSoFar', collectRoutes(app))
  app.decorateRequest('caller', null)
  let closing = false
  app.addHook('preClose', async () => void (closing = true))
  app.decorate('isClosing', () => closing)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  app.setErrorHandler((error, request, reply) => answerFault(options.logger, error, request, reply))
  app.setNotFoundHandler((request, reply) => {
    const allowed = paths.methodsOf(request.url)
    if (allowed.length > 0) reply.header('allow', allowed.join(', '))
    return sendProblem(reply, request, new ProblemError(allowed.length > 0 ? 'METHOD_NOT_ALLOWED' : 'NOT_FOUND'))
  })
  return app
}

/** Of one process, and never twice: cheaper than a UUID each, and many in a row take little room. */
const countedIds = (process: string): (() => string) => {
  let count = 0
  return () => `${process}.${(++count).toString(36)}`
}

/** A sender's or a proxy's own id is kept, where it is one that a log and a table can hold. */
const givenId = (id: string | readonly string[] | undefined): string | undefined => (typeof id === 'string' && REQUEST_ID.test(id) ? id : undefined)

export const sendProblem = (reply: FastifyReply, request: FastifyRequest, error: ProblemError): FastifyReply => {
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', String(error.retryAfterSeconds))
  return reply.code(error.status).header('content-type', PROBLEM_TYPE).send(JSON.stringify(toProblem(error, request.id)))
}

const answerFault = (logger: Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const problem = problemOf(error)
  if (problem.code === 'INTERNAL') {
    logger.error({ event: 'request.failed', requestId: request.id, method: request.method, route: request.routeOptions.url, err: error })
  }
  return sendProblem(reply, request, problem)
}

const SOCKET_FAULTS: ReadonlyMap<string, ErrorCode> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 'REQUEST_TIMEOUT'],
  ['HPE_HEADER_OVERFLOW', 'URI_TOO_LONG'],
])

/** There is no request to answer, only a connection; nothing more can be read from it. */
const answerSocket = (error: NodeJS.ErrnoException, socket: Socket, requestId: string): void => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const problem = toProblem(new ProblemError(SOCKET_FAULTS.get(error.code ?? '') ?? 'BAD_REQUEST'), requestId)
  const body = JSON.stringify(problem)
  if (socket.writable) {
    socket.write(`HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
  }
  socket.destroy(error)
}

/** Which methods a path has, for the Allow header: the router itself tells only that it found nothing. */
const watchPaths = (app: FastifyInstance) => {
  const known = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', (route) => {
    if (route.url === '*' || route.url === '/*') return
    const path = known.get(route.url) ?? { pattern: patternOf(route.url), methods: new Set<string>() }
    for (const method of [route.method].flat()) path.methods.add(method)
    known.set(route.url, path)
  })
  return {
    methodsOf: (url: string): readonly string[] => {
      const path = url.split('?', 1)[0] ?? ''
      return [...new Set([...known.values()].filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods]))].sort()
    },
  }
}

const patternOf = (url: string): RegExp => {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${parts.join('/')}/?$`)
}
