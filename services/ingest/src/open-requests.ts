import { ProblemError } from '@millrace/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isDevice } from './domain/peer.ts'

export interface OpenRequests {
  /** A hook: counts the request in before its body is read, or turns it away. */
  enter(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void
  count(): number
  /** Resolves when the last open request has ended. */
  idle(): Promise<void>
}

/** Bounds the requests and the bytes of their bodies that are in memory at once. */
export const createOpenRequests = (bounds: {
  readonly requestsMax: number
  readonly bytesMax: number
  /** What a body of unknown length is counted as. */
  readonly bodyBytesMax: number
  readonly stopping: () => boolean
}): OpenRequests => {
  let requests = 0
  let bytes = 0
  let waiting: (() => void)[] = []
  return {
    idle: () => new Promise((resolve) => (requests === 0 ? resolve() : waiting.push(resolve))),
    count: () => requests,
    enter: (request, reply, done) => {
      if (bounds.stopping()) return done(new ProblemError('STOPPING', undefined, { retryAfterSeconds: 2 }))
      const size = sizeOf(request, bounds.bodyBytesMax)
      if (requests >= bounds.requestsMax || (requests > 0 && bytes + size > bounds.bytesMax)) {
        // SDKs in browsers throw away what is answered with 429.
        return done(new ProblemError(isDevice(request.headers) ? 'LOG_BUSY' : 'TOO_MANY_REQUESTS', 'more requests are open than the bound allows', { retryAfterSeconds: 1 }))
      }
      requests++
      bytes += size
      // Comes behind an answer, and also when the client goes away before it.
      reply.raw.once('close', () => {
        requests--
        bytes -= size
        if (requests > 0) return
        for (const resolve of waiting) resolve()
        waiting = []
      })
      done()
    },
  }
}

/** A picture's request has no body; one that comes in chunks may be as large as any. */
const sizeOf = ({ headers }: FastifyRequest, bodyBytesMax: number): number => {
  if (headers['transfer-encoding'] !== undefined) return bodyBytesMax
  return Math.min(Number(headers['content-length'] ?? 0) || 0, bodyBytesMax)
}
