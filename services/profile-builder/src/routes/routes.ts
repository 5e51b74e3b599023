import { ANONYMOUS, declaredId, type Key, keyOf, ProblemError, type Project, USER, type Zone } from '@millrace/contracts'
import type { ColumnStore } from '@millrace/ports'
import { type AccessDeps, callerOf, requireApiKey, type RouteDocs } from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { readPeople } from './list.ts'
import { type ReadDeps, readProfile } from './read-profile.ts'
import { readTimeline } from './timeline.ts'

export interface RouteDeps extends ReadDeps, AccessDeps {
  readonly columns: ColumnStore
  readonly zoneOf: (project: Project) => Zone
}

const PAGE_MAX = 1000

const page = {
  /** The `next` of the answer before. */
  after: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(100),
}
const timelineQuery = z.strictObject(page)
/** One of userId, anonymousId, or type with value: that person. None: a page of all people. */
const profilesQuery = z.strictObject({
  userId: z.string().optional(),
  anonymousId: z.string().optional(),
  type: z.string().optional(),
  value: z.string().optional(),
  ...page,
})
const personParams = z.object({ personId: z.uuid().transform((id) => id.toLowerCase()) })

const FIND: RouteDocs = {
  summary: 'The person of a key, or without one a page of people, seen last first.', access: 'api-key', query: profilesQuery,
  answer: { description: 'A profile, or `{people, next, freshness}`.' }, codes: ['BAD_REQUEST', 'KEY_INVALID', 'PERSON_NOT_FOUND', 'STORE_UNAVAILABLE'],
}
const ONE: RouteDocs = { summary: 'What is known of a person.', access: 'api-key', answer: { description: 'A profile.' }, codes: ['PERSON_NOT_FOUND'] }
const TIMELINE: RouteDocs = {
  summary: 'A person’s events, newest first.', access: 'api-key', query: timelineQuery,
  answer: { description: '`{events, next, freshness}`' }, codes: ['BAD_REQUEST', 'PERSON_NOT_FOUND', 'STORE_UNAVAILABLE'],
}

/** `/api/profiles…`: people and what is known of them, for the project of the API key alone. */
export const profileRoutes = (deps: RouteDeps): FastifyPluginAsync => async (app) => {
  app.addHook('onRequest', requireApiKey(deps))

  app.get('/api/profiles', { config: { docs: FIND } }, async (request) => {
    const query = profilesQuery.parse(request.query)
    const { project } = callerOf(request)
    const key = askedKey(project, query)
    if (key === null) return readPeople(deps, project.id, query)
    const person = await deps.finder.personOf(project.id, key)
    if (person === null) throw new ProblemError('PERSON_NOT_FOUND')
    return readProfile(deps, project.id, person, deps.zoneOf(project))
  })
  app.get('/api/profiles/:personId', { config: { docs: ONE } }, async (request) => {
    const { project } = callerOf(request)
    return readProfile(deps, project.id, idOf(request.params), deps.zoneOf(project))
  })
  app.get('/api/profiles/:personId/timeline', { config: { docs: TIMELINE } }, async (request) => {
    const query = timelineQuery.parse(request.query)
    return readTimeline(deps, callerOf(request).project.id, idOf(request.params), query)
  })
}

/** What is no id at all is nobody's. */
const idOf = (params: unknown): string => {
  const parsed = personParams.safeParse(params)
  if (!parsed.success) throw new ProblemError('PERSON_NOT_FOUND')
  return parsed.data.personId
}

/** @throws BAD_REQUEST for two questions at once, KEY_INVALID for a value that is no identity */
const askedKey = (project: Project, query: z.output<typeof profilesQuery>): Key | null => {
  if ((query.type === undefined) !== (query.value === undefined)) throw new ProblemError('BAD_REQUEST', 'type and value go together')
  const asked = ([[USER, query.userId], [ANONYMOUS, query.anonymousId], [query.type, query.value]] as const)
    .filter(([, value]) => value !== undefined)
  if (asked.length === 0) return null
  if (asked.length > 1) throw new ProblemError('BAD_REQUEST', 'ask for one identity at a time')
  const [type, value] = asked[0]!
  const known = type === USER || type === ANONYMOUS || project.identity.types.some((declared) => declared.type === type)
  const id = known ? declaredId(type!, value, project.identity.blockedValues) : null
  if (id === null) throw new ProblemError('KEY_INVALID')
  return keyOf(type!, id)
}
