import type { LiveOverview } from '@millrace/contracts'
import { callerOf } from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { LiveStream } from '../live/stream.ts'

export interface LiveDeps {
  readonly overviewOf: (project: number) => Promise<LiveOverview>
  readonly stream: LiveStream
}

/** GET /api/live: server-sent events, one `overview` at once and one after each change. GET /api/overview: the same once. */
export const liveRoutes = ({ overviewOf, stream }: LiveDeps): FastifyPluginAsync => async (app) => {
  app.get('/api/overview', (request) => overviewOf(callerOf(request).project.id))
  app.get('/api/live', async (request, reply) => {
    await stream.open(callerOf(request).project.id, reply)
    return reply
  })
}
