import { ANONYMOUS, declaredId, type IdentityCommand, type Key, keyOf, type Project, ProblemError, USER } from '@millrace/contracts'
import type { Clock, EventLog, HotStore, Ids } from '@millrace/ports'
import { callerOf, type Projects, requireApiKey, type RouteDocs } from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { commandRecord } from '../domain/command-record.ts'

const typedKey = z.object({ type: z.string().max(64), value: z.union([z.string().max(1024), z.int()]) })
const identityCommand = z.object({ op: z.enum(['merge', 'unlink']), a: typedKey, b: typedKey })

export interface IdentityCommandDeps {
  readonly log: EventLog
  readonly hot: HotStore
  readonly clock: Clock
  readonly ids: Ids
  readonly projects: Projects
}

const DOCS: RouteDocs = {
  summary: 'Joins two keys on purpose, or cuts them.', access: 'admin', body: identityCommand,
  answer: { status: 202, description: '`{commandId, op, a, b}`: the log has it.' }, codes: ['BAD_REQUEST', 'KEY_INVALID', 'LOG_FULL', 'LOG_BUSY', 'LOG_CLOSED'],
}

/** POST /api/identity/commands: joins two keys on purpose, or cuts them. Answered when the log has it. */
export const identityCommandRoutes = (deps: IdentityCommandDeps): FastifyPluginAsync => async (app) => {
  app.post('/api/identity/commands', { onRequest: requireApiKey(deps, 'admin'), config: { docs: DOCS } }, async (request, reply) => {
    const { project, role } = callerOf(request)
    const asked = identityCommand.parse(request.body)
    const [a, b] = [keyAsked(project, asked.a), keyAsked(project, asked.b)]
    if (a === b) throw new ProblemError('KEY_INVALID', 'a and b are the same key')
    const order = { time: deps.clock.now(), messageId: deps.ids.uuid() }
    const command: IdentityCommand = { type: 'identity.command', op: asked.op, a, b, order, by: `api:${role}` }
    await deps.log.append([commandRecord(project.id, command)])
    return reply.code(202).send({ commandId: order.messageId, op: asked.op, a, b })
  })
}

const keyAsked = (project: Project, { type, value }: z.infer<typeof typedKey>): Key => {
  const known = type === USER || type === ANONYMOUS || project.identity.types.some((declared) => declared.type === type)
  const id = known ? declaredId(type, value, project.identity.blockedValues) : null
  if (id === null) throw new ProblemError('KEY_INVALID', `${type} with this value is no key of the project`)
  return keyOf(type, id)
}
