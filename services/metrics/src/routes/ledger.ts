import { callerOf } from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { readLedger, type LedgerDeps } from '../ledger/ledger.ts'
import { parseQuestion } from './questions.ts'

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
const ledgerQuery = z.strictObject({ from: instant.optional(), to: instant.optional() })

/** GET /api/ledger?from&to: hours of receivedAt from `from` (included) to `to` (not included); all without them. */
export const ledgerRoutes = (deps: LedgerDeps): FastifyPluginAsync => async (app) => {
  app.get('/api/ledger', (request) => {
    const { from = 0, to = Number.MAX_SAFE_INTEGER } = parseQuestion(ledgerQuery, request.query)
    return readLedger(deps, callerOf(request).project.id, { from, to })
  })
}
