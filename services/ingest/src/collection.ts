import type { ProblemError } from '@millrace/contracts'
import { problemOf } from '@millrace/service-kit'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { accessOf } from './access-of.ts'
import { allowOrigin, answerPreflight, openToPages, PREFLIGHT } from './cors.ts'
import { unpack } from './domain/unpack.ts'
import { RequestWire } from './domain/wire.ts'
import type { Door } from './door.ts'
import { collect, refuseUnread, sendNo } from './passage.ts'
import type { Extra, Path, Protocol } from './protocols/protocol.ts'
import { send } from './send.ts'

type Refuse = (request: FastifyRequest, reply: FastifyReply, problem: ProblemError) => void

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of a path of collection: answers what fails around its handler. */
    refuse?: Refuse
  }
}

/** The collection paths of all protocols: open to every page, answered when the log has what came. */
export const collection = (door: Door, protocols: readonly Protocol[]): FastifyPluginAsync => async (app) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: door.config.BODY_BYTES_MAX }, (_request, body, done) => done(null, body))
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    const { refuse } = request.routeOptions.config
    if (problem.code === 'INTERNAL' || !refuse) throw error
    // Closed under a sender that is still writing, as fastify would, the connection takes the answer with it: the rest is read and thrown away.
    if (problem.code === 'BODY_TOO_LARGE') reply.removeHeader('connection')
    refuse(request, reply, problem)
  })
  // One hook and not three: each is felt by single events.
  const enter = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    allowOrigin(request, reply)
    // SDKs name any type, a wrong one, or none: the bytes decide.
    ;(request.headers as Record<string, unknown>)['content-type'] = undefined
    door.openRequests.enter(request, reply, done)
  }
  const preflights = new Set<string>()
  const add = ({ method, url, docs }: Path, users: readonly Protocol[], refuse: Refuse, handler: RouteHandlerMethod): void => {
    app.route({ method, url, config: { collection: true, docs: { ...docs, tags: namesOf(users) }, refuse }, onRequest: enter, handler })
    const preflight = { ...PREFLIGHT, tags: namesOf(protocols.filter(({ paths, extras = [] }) => [...paths, ...extras].some((path) => path.url === url))) }
    if (!preflights.has(url)) app.options(url, { config: { collection: true, docs: preflight }, onRequest: openToPages }, answerPreflight)
    preflights.add(url)
  }
  for (const { path, users } of sharedPaths(protocols)) add(path, users, refuseUnread(door, path.url, users), collect(door, path.url, users))
  for (const protocol of protocols) for (const extra of protocol.extras ?? []) add(extra, [protocol], refuseExtra(door, protocol, extra), answerExtra(door, extra))
}

const namesOf = (users: readonly Protocol[]): readonly string[] => users.map(({ name }) => name)

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

const answerExtra = (door: Door, extra: Extra) => async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const packed = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const wire = new RequestWire(request, extra.url, await unpack(packed, door.config.INFLATED_BYTES_MAX))
  return send(reply, await extra.answer(wire, {
    params: request.params as Readonly<Record<string, string>>,
    address: addressOf(request, door.config.PUBLIC_URL),
    checkKey: async (key) => void (await accessOf(door, key)),
  }))
}

const refuseExtra = (door: Door, protocol: Protocol, { url }: Extra): Refuse => (request, reply, problem) =>
  sendNo(door, { request, reply, protocol, wire: new RequestWire(request, url, Buffer.alloc(0)) }, problem)

const addressOf = (request: FastifyRequest, publicUrl: string | undefined) => {
  if (publicUrl === undefined) return { host: request.host, protocol: request.protocol }
  const url = new URL(publicUrl)
  return { host: `${url.host}${url.pathname.replace(/\/$/, '')}`, protocol: url.protocol.replace(':', '') }
}
