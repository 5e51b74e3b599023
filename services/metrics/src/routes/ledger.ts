import { callerOf, type RouteDocs } from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { readLedger, type LedgerDeps } from '../ledger/ledger.ts'
import { parseQuestion, QUESTION_CODES } from './questions.ts'

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
const ledgerQuery = z.strictObject({ from: instant.optional(), to: instant.optional() })

const DOCS: RouteDocs = {
  summary: 'What was received and what became of it, by source and hour.', access: 'api-key', query: ledgerQuery,
  answer: { description: '`{balanced, total, rows, positions}`' }, codes: QUESTION_CODES,
}

/** GET /api/ledger?from&to: hours of receivedAt from `from` (included) to `to` (not included); all without them. */
export const ledgerRoutes = (deps: LedgerDeps): FastifyPluginAsync => async (app) => {
  app.get('/api/ledger', { config: { docs: DOCS } }, (request) => {
    const { from = 0, to = Number.MAX_SAFE_INTEGER } = parseQuestion(ledgerQuery, request.query)
    return readLedger(deps, callerOf(request).project.id, { from, to })
  })
}
