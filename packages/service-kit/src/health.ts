import type { Clock, ColumnStore, EventLog, HotStore } from '@millrace/ports'
import type { FastifyPluginAsync } from 'fastify'
import type { RouteDocs } from './openapi/route-docs.ts'
import { within } from './within.ts'

/** Something that a service needs for its work. Services of one process share those of a name. */
export interface ReadyCheck {
  readonly name: string
  /** Resolves when the part works now, with what is to be told of how it does, rejects with the reason. */
  check(): Promise<string | void>
}

/** The log takes an append now. */
export const logReady = (log: Pick<EventLog, 'ready'>): ReadyCheck => ({ name: 'log', check: () => log.ready() })

/** The hot store answers. */
export const hotStoreReady = (hot: Pick<HotStore, 'watermark'>): ReadyCheck => ({
  name: 'hot-store',
  check: async () => void (await hot.watermark('ready')),
})

/** The column store answers. */
export const columnStoreReady = (columns: Pick<ColumnStore, 'query'>): ReadyCheck => ({
  name: 'column-store',
  check: async () => void (await columns.query('SELECT 1')),
})

const CHECK_MS_MAX = 2_000

const ALIVE: RouteDocs = { summary: 'Whether the process answers.', access: 'none', answer: { description: '`{status: "ok"}`' } }
const READY: RouteDocs = {
  summary: 'Whether all of the work can be done: 200, else 503 with the reason of each part in `parts`.', access: 'none',
  answer: { description: '`{status, parts}`' },
}

/** GET /healthz (the process answers) and GET /readyz (all of the work can be done; else 503 with what is missing). */
export const healthRoutes = (checks: readonly ReadyCheck[], clock: Clock): FastifyPluginAsync => async (app) => {
  const parts = [...new Map(checks.map((check) => [check.name, check])).values()].map(({ name, check }) => ({ name, check: oneAtATime(check) }))
  app.get('/healthz', { config: { docs: ALIVE } }, async () => ({ status: 'ok' }))
  app.get('/readyz', { config: { docs: READY } }, async (_request, reply) => {
    const results = await Promise.all(parts.map(async ({ name, check }) => ({ name, ...(await stateOf(clock, check)) })))
    const ready = results.every(({ works }) => works)
    const told = Object.fromEntries(results.map(({ name, state }) => [name, state]))
    return reply.code(ready ? 200 : 503).header('cache-control', 'no-store').send({ status: ready ? 'ready' : 'not ready', parts: told })
  })
}

/** Whoever asks while a part is being asked waits for that answer: a part that hangs is not asked over and over. */
const oneAtATime = (check: ReadyCheck['check']): ReadyCheck['check'] => {
  let running: Promise<string | void> | undefined
  return () => {
    running ??= check().finally(() => {
      running = undefined
    })
    return running
  }
}

const stateOf = async (clock: Clock, check: ReadyCheck['check']): Promise<{ readonly works: boolean; readonly state: string }> => {
  const works = async () => ({ works: true, state: (await check()) ?? 'ok' })
  try {
    return await within(clock, CHECK_MS_MAX, works(), { works: false, state: `no answer in ${CHECK_MS_MAX} ms` })
  } catch (error) {
    return { works: false, state: error instanceof Error ? error.message : String(error) }
  }
}
