import type { RouteDocs } from '@millrace/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'

export const PREFLIGHT: RouteDocs = { summary: 'Preflight of browsers: open to every page.', access: 'none', answer: { status: 204, description: 'Allowed.', type: null } }

const DAY_SECONDS = '86400'

/**
 * Open to every page, for collection paths only: they write and tell nothing. Set before anything can fail, so that a
 * page's SDK can read a refusal too, and its Retry-After.
 */
export const allowOrigin = (request: FastifyRequest, reply: FastifyReply): void => {
  const { origin } = request.headers
  if (origin === undefined) return
  reply.header('access-control-allow-origin', origin).header('vary', 'Origin')
    .header('access-control-allow-credentials', 'true').header('access-control-expose-headers', 'Retry-After')
}

export const openToPages = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
  allowOrigin(request, reply)
  done()
}

/** The answer to a preflight: no key is asked for, since browsers send none with it. */
export const answerPreflight = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  reply.header('access-control-allow-methods', 'GET, POST, OPTIONS').header('access-control-max-age', DAY_SECONDS)
  const asked = request.headers['access-control-request-headers']
  if (asked !== undefined) reply.header('access-control-allow-headers', asked)
  if (request.headers['access-control-request-private-network'] !== undefined) reply.header('access-control-allow-private-network', 'true')
  return reply.code(204).send()
}
