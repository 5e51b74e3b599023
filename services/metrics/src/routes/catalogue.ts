import type { ColumnStore } from '@millrace/ports'
import { callerOf, type RouteDocs } from '@millrace/service-kit'
import { quoted, STORE_DATABASE, unsigned } from '@millrace/warehouse'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { boundedBy, type Asking } from '../questions/ask.ts'
import { parseQuestion, QUESTION_CODES } from './questions.ts'

const catalogueQuery = z.strictObject({ event: z.string().min(1).max(500).optional() })
const NAMES_MAX = 1000
/** Properties are told from this many of the newest events with the name. */
const SAMPLE_EVENTS = 100_000

const DOCS: RouteDocs = {
  summary: 'Names of events with counts; with `event`, the properties of its events.', access: 'api-key', query: catalogueQuery,
  answer: { description: 'Names, or properties.' }, codes: QUESTION_CODES,
}

/** GET /api/catalogue: the names of events; with `?event=` the properties that its events have. */
export const catalogueRoutes = ({ columns, bounds }: Asking): FastifyPluginAsync => async (app) => {
  const settings = boundedBy(bounds)
  app.get('/api/catalogue', { config: { docs: DOCS } }, async (request) => {
    const { event } = parseQuestion(catalogueQuery, request.query)
    const project = callerOf(request).project.id
    return event === undefined ? eventsOf(columns, project, settings) : propertiesOf(columns, project, event, settings)
  })
}

type Columns = Pick<ColumnStore, 'query'>
type Settings = ReturnType<typeof boundedBy>

const eventsOf = async (columns: Columns, project: number, settings: Settings) => {
  const rows = await columns.query<{ event: string; events: number; firstDay: string; lastDay: string }>(
    `SELECT event, toUInt64(sum(events)) AS events, toString(min(day)) AS firstDay, toString(max(day)) AS lastDay` +
      ` FROM ${STORE_DATABASE}.event_day WHERE project = ${unsigned(project)} AND event != '*'` +
      ` GROUP BY event ORDER BY events DESC, event LIMIT ${NAMES_MAX + 1}`,
    { settings },
  )
  return {
    events: rows.slice(0, NAMES_MAX).map((row) => ({ ...row, events: Number(row.events) })),
    /** False: there are more names than are listed here. */
    complete: rows.length <= NAMES_MAX,
  }
}

const propertiesOf = async (columns: Columns, project: number, event: string, settings: Settings) => {
  const pairs = [['text', 'strs'], ['number', 'nums'], ['boolean', 'bools']]
    .map(([type, map]) => `arrayMap(name -> (name, '${type}'), mapKeys(${map}))`)
  const rows = await columns.query<{ property: string; type: string; events: number }>(
    `SELECT one.1 AS property, one.2 AS type, count() AS events FROM (SELECT arrayConcat(${pairs.join(', ')}) AS all` +
      ` FROM ${STORE_DATABASE}.events WHERE project = ${unsigned(project)} AND event = ${quoted(event)}` +
      ` ORDER BY day DESC LIMIT ${SAMPLE_EVENTS}) ARRAY JOIN all AS one GROUP BY property, type` +
      ` ORDER BY events DESC, property, type LIMIT ${NAMES_MAX + 1}`,
    { settings },
  )
  return {
    event,
    properties: rows.slice(0, NAMES_MAX).map((row) => ({ ...row, events: Number(row.events) })),
    /** How many of the newest events were looked at, at most. */
    sampleEvents: SAMPLE_EVENTS,
    complete: rows.length <= NAMES_MAX,
  }
}
