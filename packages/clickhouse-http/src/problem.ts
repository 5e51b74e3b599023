import type { FastifyReply } from 'fastify'
import { commonHeaders } from './answer.ts'
import { problemOf } from './errors.ts'

/** A fault as ClickHouse tells one; behind the first byte the answer can only be broken off. */
export const sendProblem = (reply: FastifyReply, error: unknown, queryId: string): void => {
  const { status, code, text } = problemOf(error)
  const headers: Record<string, string> = {
    ...commonHeaders,
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': String(code),
    'X-ClickHouse-Query-Id': queryId,
    ...(status === 503 ? { 'Retry-After': '1' } : {}),
  }
  if (!reply.sent) return void reply.code(status).headers(headers).send(`${text}\n`)
  if (reply.raw.headersSent || reply.raw.destroyed) return void reply.raw.destroy()
  reply.raw.writeHead(status, headers).end(`${text}\n`)
}
