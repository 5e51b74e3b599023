import { canonicalZone, ProblemError } from '@millrace/contracts'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { type AccessDeps, callerOf, requireApiKey } from './access.ts'
import type { RouteDocs } from './openapi/route-docs.ts'

const newProject = z.strictObject({
  name: z.string().trim().min(1).max(80),
  zone: z.string().refine((name) => canonicalZone(name) !== null, { error: 'must be an IANA time zone such as UTC or Asia/Shanghai' }).overwrite((name) => canonicalZone(name) ?? name).default('UTC'),
  currency: z.string().regex(/^[A-Z]{3}$/, { error: 'must be an ISO 4217 code such as USD or CNY' }).default('USD'),
})

const CREATE: RouteDocs = {
  summary: 'Adds a project with keys of its own; only for an admin of the first project.', access: 'admin', body: newProject,
  answer: { status: 201, description: 'The project and its keys, which are told once.' }, codes: ['BAD_REQUEST', 'UNPROCESSABLE'],
}

/**
 * POST /api/projects: another tenant of this instance, with keys of its own, told once. Only an admin of the first
 * project may make one, since that one came with the machine; afterwards it sees nothing of it.
 */
export const projectRoutes = (deps: AccessDeps): FastifyPluginAsync => async (app) => {
  app.post('/api/projects', { onRequest: requireApiKey(deps, 'admin'), config: { docs: CREATE } }, async (request, reply) => {
    if (callerOf(request).project.id !== deps.projects.all()[0]?.id) {
      throw new ProblemError('ROLE_INSUFFICIENT', 'only an admin of the first project may add another')
    }
    const { project, writeKey, apiKey } = await deps.projects.create(newProject.parse(request.body))
    const { id, name, zone, currency } = project
    return reply.code(201).header('cache-control', 'no-store').send({ id, name, zone, currency, writeKey, apiKey })
  })
}
