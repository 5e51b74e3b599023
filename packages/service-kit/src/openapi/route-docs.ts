import type { ErrorCode } from '@millrace/contracts'
import type { z } from 'zod'

/** What a route says of itself; the rest of the document follows from its address and from contracts' table of codes. */
export interface RouteDocs {
  /** What it does, in one sentence. */
  readonly summary: string
  readonly access: 'write-key' | 'api-key' | 'admin' | 'none'
  /** Under which names it stands: what follows `/api/` unless said, elsewhere `operations`. */
  readonly tags?: readonly string[]
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  readonly answer: {
    /** 200 unless said. */
    readonly status?: number
    readonly description: string
    /** `application/json` unless said; null for an answer without a body. */
    readonly type?: string | null
  }
  /** Codes beside those of the access, of reading a body, and INTERNAL. */
  readonly codes?: readonly ErrorCode[]
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `page`: a file of the page, which is no interface. A route without any keeps the process from starting. */
    docs?: RouteDocs | 'page'
  }
}

/** One operation of the document. */
export interface DocumentedRoute {
  readonly method: string
  /** As fastify writes it: `/api/segments/:id`. */
  readonly url: string
  readonly docs: RouteDocs
}
