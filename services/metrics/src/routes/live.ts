import type { LiveOverview } from '@millrace/contracts'
import { callerOf, type RouteDocs } from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { LiveStream } from '../live/stream.ts'

export interface LiveDeps {
  readonly overviewOf: (project: number) => Promise<LiveOverview>
  readonly stream: LiveStream
}

const OVERVIEW: RouteDocs = { summary: 'What is going on in the project now.', access: 'api-key', answer: { description: 'Events of the last minutes, and totals.' }, codes: ['STORE_UNAVAILABLE'] }
const LIVE: RouteDocs = {
  summary: 'The same at once and after each change.', access: 'api-key',
  answer: { description: 'Server-sent events named `overview`.', type: 'text/event-stream' }, codes: ['TOO_MANY_REQUESTS', 'STORE_UNAVAILABLE'],
}

/** GET /api/live: server-sent events, one `overview` at once and one after each change. GET /api/overview: the same once. */
export const liveRoutes = ({ overviewOf, stream }: LiveDeps): FastifyPluginAsync => async (app) => {
  app.get('/api/overview', { config: { docs: OVERVIEW } }, (request) => overviewOf(callerOf(request).project.id))
  app.get('/api/live', { config: { docs: LIVE } }, async (request, reply) => {
    await stream.open(callerOf(request).project.id, reply)
    return reply
  })
}
