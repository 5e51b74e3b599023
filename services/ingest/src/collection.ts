import { type ErrorCode, type Origin, ProblemError, refuse } from '@millrace/contracts'
import { problemOf, type WriteAccess, writeAccessOf } from '@millrace/service-kit'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { Door } from './door.ts'
import { unpack } from './domain/unpack.ts'
import { createWire, type Wire } from './domain/wire.ts'
import { answerPreflight, openToPages, PREFLIGHT } from './cors.ts'
import type { Answer, Asked, Extra, Path, Protocol } from './protocols/protocol.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of a path of collection: the protocols that use it. The first answers what fails before the body is read. */
    protocols?: readonly Protocol[]
  }
}

/** The collection paths of all protocols: open to every page, answered when the log has what came. */
export const collection = (door: Door, protocols: readonly Protocol[]): FastifyPluginAsync => async (app) => {
  openToPages(app)
  app.removeAllContentTypeParsers()
  // SDKs name any type, a wrong one, or none: the bytes decide.
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.headers['content-type'] !== undefined) request.headers['content-type'] = 'application/octet-stream'
    done()
  })
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: door.config.BODY_BYTES_MAX }, (_request, body, done) => done(null, body))
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    const answer = problem.code === 'INTERNAL' ? null : request.routeOptions.config.protocols?.[0]?.refuse(problem, null)
    // What the protocol has no words for is answered by the house.
    if (!answer) throw error
    return send(withRetryAfter(reply, problem), answer)
  })
  const preflights = new Set<string>()
  const add = (path: Path, users: readonly Protocol[], handler: RouteHandlerMethod): void => {
    const config = { collection: true, docs: path.docs, protocols: users }
    app.route({ method: path.method, url: path.url, config, onRequest: door.openRequests.enter, handler })
    if (!preflights.has(path.url)) app.options(path.url, { config: { collection: true, docs: PREFLIGHT } }, answerPreflight)
    preflights.add(path.url)
  }
  for (const { path, users } of sharedPaths(protocols)) add(path, users, collect(door, users))
  for (const protocol of protocols) for (const extra of protocol.extras ?? []) add(extra, [protocol], answerExtra(door, extra))
}

/** Each path once, with all protocols that use it. */
const sharedPaths = (protocols: readonly Protocol[]) => {
  const found = new Map<string, { path: Path; users: Protocol[] }>()
  for (const protocol of protocols) {
    for (const path of protocol.paths) {
      const known = found.get(`${path.method} ${path.url}`)
      if (known) known.users.push(protocol)
      else found.set(`${path.method} ${path.url}`, { path, users: [protocol] })
    }
  }
  return found.values()
}

const collect = (door: Door, users: readonly Protocol[]) => async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const packed = Buffer.isBuffer(request.body) ? request.body : NO_BODY
  const receivedAt = door.receivedAt()
  let wire = wireOf(request, packed)
  let protocol = users[0]!
  let access: WriteAccess | undefined
  try {
    const body = await unpack(packed, door.config.INFLATED_BYTES_MAX)
    if (body !== packed) wire = wireOf(request, body)
    if (users.length > 1) protocol = users.find((user) => user.recognise(wire)) ?? protocol
    access = await accessOf(door, protocol.keyOf(wire))
    return send(reply, await take(door, protocol, access, wire, receivedAt))
  } catch (error) {
    const problem = error instanceof ProblemError ? error : problemOf(error)
    if (problem.code === 'INTERNAL') throw error
    if (isOfBody(problem)) {
      if (!access) door.counters.unauthorised.inc({ code: problem.code })
      else await keepBody(door, protocol, access, wire, receivedAt, problem)
    } else if (problem.status === 429 || problem.status === 503) door.counters.turnedAway.inc({ code: problem.code })
    const answer = protocol.refuse(problem, wire)
    if (!answer) throw error
    return send(withRetryAfter(reply, problem), answer)
  }
}

const NO_BODY = Buffer.alloc(0)

const take = async (door: Door, protocol: Protocol, { project, source }: WriteAccess, wire: Wire, receivedAt: number): Promise<Answer> => {
  const asked: Asked = { project, source, eventsMax: door.config.BATCH_EVENTS_MAX, receivedAt }
  const { sentAt, context, events, unlinks } = protocol.decode(wire, asked)
  const origin: Origin = { source, protocol: protocol.name, receivedAt, sentAt, ...(context ? { context } : {}) }
  const peer = door.peers.fieldOf(wire.ip, wire.headers)
  const taken = await door.take({ project, origin, request: wire.requestId, peer }, events, unlinks)
  return protocol.answer(wire, taken, asked)
}

/** A body that is none of ours to read, from a sender that we know: kept as it came, and counted once. */
const keepBody = (door: Door, protocol: Protocol, { project, source }: WriteAccess, wire: Wire, receivedAt: number, problem: ProblemError): Promise<void> => {
  const origin: Origin = { source, protocol: protocol.name, receivedAt, sentAt: null }
  const sent = wire.body.length > 0 || wire.method === 'POST' ? wire.body : Buffer.from(JSON.stringify(wire.query))
  return door.keepBody({ project, origin, request: wire.requestId }, sent, refuse(problem.code, problem.message))
}

const isOfBody = ({ status }: ProblemError): boolean => status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 429

const answerExtra = (door: Door, extra: Extra) => async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const packed = Buffer.isBuffer(request.body) ? request.body : NO_BODY
  const wire = wireOf(request, await unpack(packed, door.config.INFLATED_BYTES_MAX))
  return send(reply, await extra.answer(wire, {
    params: request.params as Readonly<Record<string, string>>,
    address: addressOf(request, door.config.PUBLIC_URL),
    checkKey: async (key) => void (await accessOf(door, key)),
  }))
}

const wireOf = (request: FastifyRequest, body: Buffer): Wire => createWire({
  method: request.method, path: request.routeOptions.url ?? '', query: request.query as Wire['query'], headers: request.headers, body,
  ip: request.ip, requestId: request.id,
})

const accessOf = async (door: Door, key: string | undefined): Promise<WriteAccess> => {
  const access = key === undefined ? undefined : (door.projects.byWriteKey(key) ?? (await writeAccessOf(door.projects, key)))
  if (access) return access
  const code: ErrorCode = key === undefined ? 'WRITE_KEY_MISSING' : 'WRITE_KEY_UNKNOWN'
  door.counters.unauthorised.inc({ code })
  throw new ProblemError(code)
}

const send = (reply: FastifyReply, { status, type = 'application/json', headers, body }: Answer): FastifyReply => {
  if (headers) reply.headers(headers)
  return reply.code(status).type(type).send(body)
}

const withRetryAfter = (reply: FastifyReply, { retryAfterSeconds }: ProblemError): FastifyReply =>
  retryAfterSeconds === undefined ? reply : reply.header('retry-after', String(retryAfterSeconds))

const addressOf = (request: FastifyRequest, publicUrl: string | undefined) => {
  if (publicUrl === undefined) return { host: request.host, protocol: request.protocol }
  const url = new URL(publicUrl)
  return { host: `${url.host}${url.pathname.replace(/\/$/, '')}`, protocol: url.protocol.replace(':', '') }
}
