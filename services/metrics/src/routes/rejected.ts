import { callerOf, type RouteDocs } from '@millrace/service-kit'
import { quoted, STORE_DATABASE, unsigned } from '@millrace/warehouse'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { boundedBy, type Asking } from '../questions/ask.ts'
import { parseQuestion, QUESTION_CODES } from './questions.ts'

const cursor = z.string().regex(/^\d{1,15}-\d{1,15}-\d{1,15}-\d{1,15}$/, 'the `next` of an answer before')
const rejectedQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  code: z.string().max(100).optional(),
  before: cursor.optional(),
})

interface Row {
  readonly at: number
  readonly code: string
  readonly detail: string
  readonly source: string
  readonly protocol: string
  readonly messageId: string
  readonly requestId: string
  readonly bytes: string
  readonly partition: number
  readonly offset: number
  readonly index: number
}

const DOCS: RouteDocs = {
  summary: 'Refused events, newest first.', access: 'api-key', query: rejectedQuery, answer: { description: '`{rejected, next}`' }, codes: QUESTION_CODES,
}

/** GET /api/rejected?limit&code&before: refused events, newest first, a page at a time; `bytes` are base64. */
export const rejectedRoutes = ({ columns, bounds }: Asking): FastifyPluginAsync => async (app) => {
  app.get('/api/rejected', { config: { docs: DOCS } }, async (request) => {
    const { limit, code, before } = parseQuestion(rejectedQuery, request.query)
    const conditions = [
      `project = ${unsigned(callerOf(request).project.id)}`,
      ...(code === undefined ? [] : [`code = ${quoted(code)}`]),
      ...(before === undefined ? [] : [`(at, _partition, _offset, _index) < (${before.split('-').map((part) => unsigned(Number(part))).join(', ')})`]),
    ]
    const rows = await columns.query<Row>(
      `SELECT toUnixTimestamp64Milli(received_at) AS at, code, detail, source, protocol, message_id AS messageId, request_id AS requestId, bytes,` +
        ` _partition AS partition, _offset AS offset, _index AS index FROM ${STORE_DATABASE}.rejected` +
        ` WHERE ${conditions.join(' AND ')} ORDER BY at DESC, _partition DESC, _offset DESC, _index DESC LIMIT ${limit + 1}`,
      { settings: boundedBy(bounds) },
    )
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    return {
      rejected: page.map(({ at, code: reason, detail, source, protocol, messageId, requestId, bytes }) => ({
        receivedAt: new Date(Number(at)).toISOString(), code: reason, detail, source, protocol, messageId: messageId || null, requestId: requestId || null, bytes,
      })),
      next: last && rows.length > limit ? `${last.at}-${last.partition}-${last.offset}-${last.index}` : null,
    }
  })
}
