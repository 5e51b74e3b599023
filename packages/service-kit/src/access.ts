import { ProblemError } from '@millrace/contracts'
import type { Clock, HotStore } from '@millrace/ports'
import type { FastifyRequest } from 'fastify'
import type { ApiAccess, Role, WriteAccess } from './key-index.ts'
import type { Projects } from './projects.ts'
import { sessionOf } from './sessions.ts'

/** Who calls the API, and of which project they may know. */
export type Caller = ApiAccess

export interface AccessDeps {
  readonly projects: Projects
  readonly hot: HotStore
  readonly clock: Clock
}

/**
 * A hook for routes under /api: `Authorization: Bearer <API key>`, or the session cookie of the page.
 * Sets `request.caller`. `admin` refuses an analyst's key with ROLE_INSUFFICIENT.
 */
export const requireApiKey = (deps: AccessDeps, role: Role = 'analyst') => async (request: FastifyRequest): Promise<void> => {
  const caller = await findCaller(deps, request)
  if (role === 'admin' && caller.role !== 'admin') throw new ProblemError('ROLE_INSUFFICIENT')
  request.caller = caller
}

/** The caller that `requireApiKey` found. @throws API_KEY_MISSING on a route without that hook */
export const callerOf = (request: FastifyRequest): Caller => {
  if (!request.caller) throw new ProblemError('API_KEY_MISSING')
  return request.caller
}

/** Whose API key it is; undefined when it is nobody's, also on a second look. */
export const apiAccessOf = async (projects: Projects, key: string): Promise<ApiAccess | undefined> => {
  const known = projects.byApiKey(key)
  if (known) return known
  await projects.lookAgain()
  return projects.byApiKey(key)
}

/** The same of a write key. */
export const writeAccessOf = async (projects: Projects, key: string): Promise<WriteAccess | undefined> => {
  const known = projects.byWriteKey(key)
  if (known) return known
  await projects.lookAgain()
  return projects.byWriteKey(key)
}

const findCaller = async (deps: AccessDeps, request: FastifyRequest): Promise<Caller> => {
  const key = bearerOf(request.headers.authorization)
  if (key !== undefined) {
    const access = await apiAccessOf(deps.projects, key)
    if (!access) throw new ProblemError('API_KEY_UNKNOWN')
    return access
  }
  const session = await sessionOf(deps, request.headers.cookie)
  const project = session && deps.projects.byId(session.project)
  if (!project) throw new ProblemError('API_KEY_MISSING')
  return { project, role: session.role }
}

const bearerOf = (header: string | undefined): string | undefined => /^bearer +(\S+)\s*$/i.exec(header ?? '')?.[1]

/** User name of HTTP Basic: how most SDKs send their write key. */
export const basicUserOf = (header: string | undefined): string | undefined => {
  if (header === undefined || !BASIC.test(header)) return undefined
  const pair = Buffer.from(header.slice('Basic '.length), 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  const user = colon < 0 ? pair : pair.slice(0, colon)
  return user === '' ? undefined : user
}

const BASIC = /^basic /i
