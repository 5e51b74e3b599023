import { ProblemError } from '@millrace/contracts'
import type { Clock, HotStore, Ids } from '@millrace/ports'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { type AccessDeps, callerOf, requireApiKey } from './access.ts'
import type { RouteDocs } from './openapi/route-docs.ts'
import { hashKey, type Role } from './key-index.ts'

const SCOPE = 'sessions'
const COOKIE = 'millrace_session'
const LINK_MS = 24 * 3_600_000
const SESSION_MS = 7 * 24 * 3_600_000

export interface Session {
  readonly project: number
  readonly role: Role
  readonly until: number
}

interface SessionDeps {
  readonly hot: HotStore
  readonly clock: Clock
}

/** A path that signs its first visitor in, once, within a day. Only the token's hash is kept. */
export const createSignInPath = async (
  { hot, clock, ids }: SessionDeps & { readonly ids: Ids },
  who: { readonly project: number; readonly role: Role },
): Promise<string> => {
  const token = ids.secret(32)
  const link: Session = { ...who, until: clock.now() + LINK_MS }
  await hot.update(SCOPE, `link:${hashKey(token)}`, () => link, LINK_MS)
  return `/sign-in?token=${token}`
}

/** The session of a Cookie header, or undefined. */
export const sessionOf = async ({ hot, clock }: SessionDeps, cookies: string | undefined): Promise<Session | undefined> => {
  const token = cookieOf(cookies)
  if (token === undefined) return undefined
  const [found] = await hot.get(SCOPE, [sessionKey(token)])
  const session = found as Session | undefined
  return session && session.until > clock.now() ? session : undefined
}

const SIGN_IN: RouteDocs = {
  summary: 'Opens a session by the one-time link of the first screen.', access: 'none', query: z.object({ token: z.string() }),
  answer: { description: 'A page that moves on, and the cookie.', type: 'text/html' }, codes: ['SIGN_IN_LINK_INVALID'],
}
const SESSION: RouteDocs = { summary: 'Who calls: role and project.', access: 'api-key', answer: { description: '`{role, project}`' } }
const SIGN_OUT: RouteDocs = { summary: 'Ends the session of the cookie.', access: 'none', answer: { status: 204, description: 'The session is over.', type: null } }

/** GET /sign-in, GET /api/session, POST /api/sign-out. */
export const signInRoutes = (deps: AccessDeps & { readonly ids: Ids }): FastifyPluginAsync => async (app) => {
  app.get<{ Querystring: { token?: string } }>('/sign-in', { config: { docs: SIGN_IN } }, async (request, reply) => {
    const token = await openSession(deps, String(request.query.token ?? ''))
    // A page that moves on by itself: after a redirect from another site a Strict cookie would not be sent.
    return reply.header('set-cookie', cookie(token, SESSION_MS, request.protocol)).header('cache-control', 'no-store')
      .header('referrer-policy', 'no-referrer').type('text/html; charset=utf-8').send(MOVE_ON)
  })
  app.get('/api/session', { onRequest: requireApiKey(deps), config: { docs: SESSION } }, async (request) => {
    const { project, role } = callerOf(request)
    return { role, project: { id: project.id, name: project.name, zone: project.zone, currency: project.currency } }
  })
  app.post('/api/sign-out', { config: { docs: SIGN_OUT } }, async (request, reply) => {
    const token = cookieOf(request.headers.cookie)
    if (token !== undefined) await deps.hot.update(SCOPE, sessionKey(token), () => undefined)
    return reply.header('set-cookie', cookie('', 0, request.protocol)).code(204).send()
  })
}

const MOVE_ON = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/"><title>Millrace</title><a href="/">Millrace</a>'

const openSession = async ({ hot, clock, ids }: SessionDeps & { readonly ids: Ids }, linkToken: string): Promise<string> => {
  let link: Session | undefined
  await hot.update(SCOPE, `link:${hashKey(linkToken)}`, (before) => {
    link = before as Session | undefined
    return undefined
  })
  if (!link || link.until <= clock.now()) throw new ProblemError('SIGN_IN_LINK_INVALID')
  const token = ids.secret(32)
  const session: Session = { project: link.project, role: link.role, until: clock.now() + SESSION_MS }
  await hot.update(SCOPE, sessionKey(token), () => session, SESSION_MS)
  return token
}

const sessionKey = (token: string): string => `session:${hashKey(token)}`

const cookieOf = (header: string | undefined): string | undefined =>
  new RegExp(`(?:^|;\\s*)${COOKIE}=([0-9a-f]+)`).exec(header ?? '')?.[1]

const cookie = (token: string, ms: number, protocol: string): string =>
  `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${Math.floor(ms / 1000)}${protocol === 'https' ? '; Secure' : ''}`
