import { type EventType, type Origin, ProblemError, refuse } from '@millrace/contracts'
import { basicUserOf, type RouteDocs, sendProblem, type WriteAccess, writeAccessOf } from '@millrace/service-kit'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Door } from '../door.ts'
import { unpack } from '../domain/unpack.ts'
import { answerPreflight, openToPages } from './cors.ts'
import { keyInBody, parseBody, readBatch, readSingle, type SegmentBody } from './segment-body.ts'
import { BATCH, OWN_FIGURES, PREFLIGHT, SETTINGS, singleDocs } from './segment-docs.ts'
import { segmentSettings } from './segment-settings.ts'

const PROTOCOL = 'segment'
const BATCH_PATHS = ['batch', 'import', 'b']
const SINGLE_PATHS: readonly (readonly [path: string, type: EventType])[] = [
  ['track', 'track'], ['t', 'track'], ['page', 'page'], ['p', 'page'], ['screen', 'screen'], ['s', 'screen'],
  ['identify', 'identify'], ['i', 'identify'], ['group', 'group'], ['g', 'group'], ['alias', 'alias'], ['a', 'alias'],
]

type Reader = (parsed: unknown, body: Buffer) => SegmentBody

/** Segment's HTTP tracking API, as its public SDKs use it. */
export const segmentRoutes = (door: Door): FastifyPluginAsync => async (app) => {
  const { config } = door
  openToPages(app)
  app.removeAllContentTypeParsers()
  // SDKs name any type, a wrong one, or none: the bytes decide.
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.headers['content-type'] !== undefined) request.headers['content-type'] = 'application/octet-stream'
    done()
  })
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: config.BODY_BYTES_MAX }, (_request, body, done) => done(null, body))
  const options = (docs: RouteDocs) => ({ config: { collection: true, docs }, onRequest: door.openRequests.enter })
  const batch: Reader = (parsed, body) => readBatch(parsed, body, config.BATCH_EVENTS_MAX)
  for (const path of BATCH_PATHS) app.post(`/v1/${path}`, options(BATCH), collect(door, batch, answerBatch))
  for (const [path, type] of SINGLE_PATHS) {
    app.post(`/v1/${path}`, options(singleDocs(type)), collect(door, (parsed, body) => readSingle(parsed, body, type), answerSingle))
  }
  // The SDK's own figures about itself: taken, and of no use here.
  app.post('/v1/m', options(OWN_FIGURES), async () => ({ success: true }))
  app.options('/v1/*', { config: { collection: true, docs: PREFLIGHT } }, answerPreflight)
  app.get<{ Params: { key: string } }>('/v1/projects/:key/settings', { config: { collection: true, docs: SETTINGS } }, async (request, reply) => {
    await accessOf(door, request.params.key)
    return reply.header('cache-control', 'no-cache').send(segmentSettings(request.params.key, addressOf(request, config.PUBLIC_URL)))
  })
}

type Answer = (request: FastifyRequest, reply: FastifyReply, taken: Awaited<ReturnType<Door['take']>>) => FastifyReply

const collect = (door: Door, read: Reader, answer: Answer) => async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const outer = keyInRequest(request)
  const known = outer === undefined ? undefined : (door.projects.byWriteKey(outer) ?? (await accessOf(door, outer)))
  const packed = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  let body = packed
  let access = known
  const receivedAt = door.clock.now()
  try {
    body = await unpack(packed, door.config.INFLATED_BYTES_MAX)
    const parsed = parseBody(body)
    access ??= await accessOf(door, keyInBody(parsed))
    const { sentAt, context, events } = read(parsed, body)
    const origin: Origin = { source: access.source, protocol: PROTOCOL, receivedAt, sentAt, ...(context ? { context } : {}) }
    return answer(request, reply, await door.take({ project: access.project, origin, request: request.id }, events))
  } catch (error) {
    if (!(error instanceof ProblemError) || error.status >= 500 || error.status === 401) throw error
    if (!access) {
      door.counters.unauthorised.inc({ code: error.code })
      throw error
    }
    // A body that is none of ours to read, from a sender that we know: kept as it came, and counted once.
    const origin: Origin = { source: access.source, protocol: PROTOCOL, receivedAt, sentAt: null }
    await door.keepBody({ project: access.project, origin, request: request.id }, body, refuse(error.code, error.message))
    throw error
  }
}

const answerBatch: Answer = (_request, reply, { accepted, rejected }) =>
  reply.type('application/json').send(
    rejected.length === 0
      ? `{"success":true,"accepted":${accepted},"rejected":[]}`
      : JSON.stringify({ success: true, accepted, rejected: rejected.map(({ index, refusal }) => ({ index, code: refusal.code, detail: refusal.detail })) }))

const answerSingle: Answer = (request, reply, taken) => {
  const [refused] = taken.rejected
  return refused ? sendProblem(reply, request, new ProblemError(refused.refusal.code, refused.refusal.detail)) : answerBatch(request, reply, taken)
}

const keyInRequest = (request: FastifyRequest): string | undefined => {
  const inQuery = (request.query as Readonly<Record<string, unknown>>)['writeKey']
  return basicUserOf(request.headers.authorization) ?? (typeof inQuery === 'string' && inQuery !== '' ? inQuery : undefined)
}

const accessOf = async (door: Door, key: string | undefined): Promise<WriteAccess> => {
  const access = key === undefined ? undefined : await writeAccessOf(door.projects, key)
  if (access) return access
  const code = key === undefined ? 'WRITE_KEY_MISSING' : 'WRITE_KEY_UNKNOWN'
  door.counters.unauthorised.inc({ code })
  throw new ProblemError(code)
}

const addressOf = (request: FastifyRequest, publicUrl: string | undefined) => {
  if (publicUrl === undefined) return { host: request.host, protocol: request.protocol }
  const url = new URL(publicUrl)
  return { host: `${url.host}${url.pathname.replace(/\/$/, '')}`, protocol: url.protocol.replace(':', '') }
}
