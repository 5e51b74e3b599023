import type { ProblemError } from '@millrace/contracts'
import type { FastifyReply } from 'fastify'
import type { Answer } from './protocols/protocol.ts'

export const send = (reply: FastifyReply, { status, type = 'application/json', headers, body }: Answer): FastifyReply => {
  if (headers) reply.headers(headers)
  // Else a sender would use a connection again that ends behind this answer.
  if (reply.server.isClosing()) reply.header('connection', 'close')
  return reply.code(status).type(type).send(body)
}

export const withRetryAfter = (reply: FastifyReply, { retryAfterSeconds }: ProblemError): FastifyReply =>
  retryAfterSeconds === undefined ? reply : reply.header('retry-after', String(retryAfterSeconds))
