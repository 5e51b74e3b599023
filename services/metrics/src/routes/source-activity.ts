import { ProblemError, sourcesOf } from '@millrace/contracts'
import type { Clock } from '@millrace/ports'
import { callerOf, type RouteDocs } from '@millrace/service-kit'
import { quoted, STORE_DATABASE, unsigned } from '@millrace/warehouse'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { readLedger, sum, type LedgerDeps } from '../ledger/ledger.ts'
import { boundedBy, type Asking } from '../questions/ask.ts'
import { parseQuestion, QUESTION_CODES } from './questions.ts'

const HOUR_MS = 3_600_000
const SAMPLES = 10
const activityQuery = z.strictObject({ hours: z.coerce.number().int().min(1).max(31 * 24).default(24) })

const DOCS: RouteDocs = {
  summary: 'What a source sent in the last hours, the present one included, with its newest events and refusals.', access: 'api-key', query: activityQuery,
  answer: { description: '`{source, from, hours, counts, accepted, rejected}`; `counts` are the sums of the ledger.' }, codes: ['SOURCE_NOT_FOUND', ...QUESTION_CODES],
}

type Deps = LedgerDeps & Asking & { readonly clock: Clock }

/** GET /api/sources/:name/activity?hours: the ledger of one source, counted nowhere else, and samples of what it is about. */
export const sourceActivityRoutes = (deps: Deps): FastifyPluginAsync => async (app) => {
  app.get<{ Params: { name: string } }>('/api/sources/:name/activity', { config: { docs: DOCS } }, async (request) => {
    const { hours } = parseQuestion(activityQuery, request.query)
    const { project } = callerOf(request)
    const source = request.params.name
    if (!sourcesOf(project).some(({ name }) => name === source)) throw new ProblemError('SOURCE_NOT_FOUND')
    const from = (Math.floor(deps.clock.now() / HOUR_MS) - hours + 1) * HOUR_MS
    const [ledger, accepted, rejected] = await Promise.all([
      readLedger(deps, project.id, { from, to: Number.MAX_SAFE_INTEGER }),
      newest<AcceptedRow>(deps, 'events', ACCEPTED, project.id, source, from),
      newest<RejectedRow>(deps, 'rejected', REJECTED, project.id, source, from),
    ])
    return {
      source, from: instant(from), hours,
      counts: sum(ledger.rows.filter((row) => row.source === source)),
      accepted: accepted.map(({ at, timestamp, ...row }) => ({ receivedAt: instant(at), timestamp: instant(timestamp), ...nulled(row) })),
      rejected: rejected.map(({ at, ...row }) => ({ receivedAt: instant(at), ...nulled(row) })),
    }
  })
}

interface AcceptedRow {
  readonly at: number
  readonly timestamp: number
  readonly type: string
  readonly event: string
  readonly userId: string
  readonly anonymousId: string
  readonly protocol: string
  readonly messageId: string
  readonly requestId: string
}
interface RejectedRow {
  readonly at: number
  readonly code: string
  readonly detail: string
  readonly protocol: string
  readonly messageId: string
  readonly requestId: string
}

const ACCEPTED = 'toUnixTimestamp64Milli(timestamp) AS timestamp, type, event, user_id AS userId, anonymous_id AS anonymousId, protocol, message_id AS messageId, request_id AS requestId'
const REJECTED = 'code, detail, protocol, message_id AS messageId, request_id AS requestId'

const newest = <Row>({ columns, bounds }: Asking, table: 'events' | 'rejected', fields: string, project: number, source: string, from: number): Promise<readonly Row[]> =>
  columns.query<Row>(
    `SELECT toUnixTimestamp64Milli(received_at) AS at, ${fields} FROM ${STORE_DATABASE}.${table}` +
      ` WHERE project = ${unsigned(project)} AND source = ${quoted(source)} AND received_at >= fromUnixTimestamp64Milli(${unsigned(from)})` +
      ` ORDER BY at DESC, _partition DESC, _offset DESC, _index DESC LIMIT ${SAMPLES}`,
    { settings: boundedBy(bounds) },
  )

const instant = (ms: number): string => new Date(Number(ms)).toISOString()

/** The store writes what is not there as an empty text. */
const nulled = (row: object): Record<string, unknown> => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === '' ? null : value]))
