import { type Project, ProblemError, sourceSettings, sourcesOf, type SourceSettings, type WriteKey } from '@millrace/contracts'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type AccessDeps, callerOf, requireApiKey } from './access.ts'
import type { RouteDocs } from './openapi/route-docs.ts'

const { name, allowedOrigins, eventsPerSecondMax, server } = sourceSettings.shape
const newSource = z.strictObject({ name, allowedOrigins, eventsPerSecondMax, server })
const changes = z.strictObject({
  allowedOrigins: allowedOrigins.removeDefault().optional(),
  eventsPerSecondMax: eventsPerSecondMax.removeDefault().optional(),
  server: server.removeDefault().optional(),
})
const DAY_MS = 86_400_000
const rotation = z.strictObject({ graceMs: z.int().min(0).max(90 * DAY_MS).default(DAY_MS) })

const LIST: RouteDocs = {
  summary: 'Sources of the project with their settings and write keys; never a key itself.', access: 'admin',
  answer: { description: '`{sources: [{name, allowedOrigins, eventsPerSecondMax, server, keys: [{id, createdAt, expiresAt, revokedAt}]}]}`' },
}
const CREATE: RouteDocs = {
  summary: 'Adds a source with a write key of its own.', access: 'admin', body: newSource,
  answer: { status: 201, description: 'The source and its write key, which is told once.' }, codes: ['BAD_REQUEST', 'SOURCE_EXISTS', 'SOURCE_BOUND'],
}
const CHANGE: RouteDocs = {
  summary: 'Changes settings of a source; what is not given stays.', access: 'admin', body: changes,
  answer: { description: 'The source.' }, codes: ['BAD_REQUEST', 'SOURCE_NOT_FOUND'],
}
const ROTATE: RouteDocs = {
  summary: 'Makes a new write key; those before work `graceMs` longer (a day unless said).', access: 'admin', body: rotation,
  answer: { status: 201, description: 'The source and its new write key, which is told once.' }, codes: ['BAD_REQUEST', 'SOURCE_NOT_FOUND', 'KEY_BOUND'],
}
const REVOKE: RouteDocs = {
  summary: 'Revokes a write key: no copy takes events with it 5 seconds later.', access: 'admin',
  answer: { status: 204, type: null, description: 'Revoked.' }, codes: ['SOURCE_NOT_FOUND', 'KEY_NOT_FOUND'],
}

/** The sources of the caller's project: who may send, from which pages, how fast, and with which keys. For admins. */
export const sourceRoutes = (deps: AccessDeps): FastifyPluginAsync => async (app) => {
  const { projects } = deps
  const admin = (docs: RouteDocs) => ({ onRequest: requireApiKey(deps, 'admin'), config: { docs } })
  const told = (request: FastifyRequest, source: string) => toldSource(projects.byId(callerOf(request).project.id)!, source)

  app.get('/api/sources', admin(LIST), (request) => {
    const { project } = callerOf(request)
    return { sources: sourcesOf(project).map((source) => ({ ...source, keys: keysOf(project, source.name) })) }
  })
  app.post('/api/sources', admin(CREATE), async (request, reply) => {
    const settings = newSource.parse(request.body)
    const writeKey = await projects.addSource(callerOf(request).project.id, settings)
    return reply.code(201).header('cache-control', 'no-store').send({ ...told(request, settings.name), writeKey })
  })
  app.patch<{ Params: Named }>('/api/sources/:name', admin(CHANGE), async (request) => {
    await projects.changeSource(callerOf(request).project.id, request.params.name, given(changes.parse(request.body)))
    return told(request, request.params.name)
  })
  app.post<{ Params: Named }>('/api/sources/:name/rotate', admin(ROTATE), async (request, reply) => {
    const { graceMs } = rotation.parse(request.body ?? {})
    const writeKey = await projects.rotateKey(callerOf(request).project.id, request.params.name, graceMs)
    return reply.code(201).header('cache-control', 'no-store').send({ ...told(request, request.params.name), writeKey })
  })
  app.delete<{ Params: Named & { id: string } }>('/api/sources/:name/keys/:id', admin(REVOKE), async (request, reply) => {
    await projects.revokeKey(callerOf(request).project.id, request.params.name, request.params.id)
    return reply.code(204).send()
  })
}

interface Named {
  readonly name: string
}

const toldSource = (project: Project, wanted: string) => {
  const source = sourcesOf(project).find((known) => known.name === wanted)
  if (!source) throw new ProblemError('SOURCE_NOT_FOUND')
  return { ...source, keys: keysOf(project, wanted) }
}

const keysOf = ({ writeKeys }: Project, source: string) => writeKeys.filter((key) => key.source === source).map(toldKey)

const toldKey = ({ id, createdAt, expiresAt, revokedAt }: WriteKey) =>
  ({ id, createdAt: instant(createdAt), expiresAt: instant(expiresAt), revokedAt: instant(revokedAt) })

const instant = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())

/** Without what was not given: it must not overwrite. */
const given = (change: z.infer<typeof changes>): Partial<Omit<SourceSettings, 'name'>> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
