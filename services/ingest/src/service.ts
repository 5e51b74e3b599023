import type { Clock, EventLog, HotStore, Ids, SpooledLog } from '@millrace/ports'
import {
  createMetricsRegistry, hotStoreReady, type Logger, logReady, type MetricsRegistry, problemOf, type Projects, type ReadyCheck, within,
} from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import { type AppendQueue, createAppendQueue } from './append-queue.ts'
import { type IngestConfig, ingestConfig } from './config.ts'
import { createCounters, createSpoolGauges, isTurnedAway } from './counters.ts'
import { createDoor } from './door.ts'
import { createOpenRequests } from './open-requests.ts'
import { collection } from './collection.ts'
import { protocols } from './protocols/index.ts'
import { identityCommandRoutes } from './routes/identity-commands.ts'

export interface IngestDeps {
  readonly log: EventLog
  /** The same log, where events wait on this machine while the log is away. */
  readonly spool?: SpooledLog | null
  readonly hot: HotStore
  readonly clock: Clock
  readonly ids: Ids
  readonly logger: Logger
  readonly projects: Projects
  /** Shared where several services run in one process. */
  readonly metrics?: MetricsRegistry
}

export interface Ingest {
  readonly routes: FastifyPluginAsync
  /** What it needs to take an event. */
  readonly checks: readonly ReadyCheck[]
  start(): Promise<void>
  /** Resolves when the log has everything that was taken so far. */
  drain(): Promise<void>
  /** Takes nothing new, and waits for what was taken. */
  stop(): Promise<void>
}

/** HTTP in, events.accepted and events.rejected out. Settings not given have their defaults. */
export const createIngest = (deps: IngestDeps, settings: Partial<IngestConfig> = {}): Ingest => {
  const config = { ...ingestConfig.parse({}), ...settings }
  const { log, clock } = deps
  let stopping = false
  const queue: AppendQueue = createAppendQueue(
    {
      log,
      clock,
      onAppended: (bytes, ms) => {
        counters.appendedBytes.inc(bytes)
        counters.appendSeconds.observe(ms / 1000)
      },
      onFailed: (error) => deps.logger.error({ event: 'append.failed', err: error }, 'the senders are told to try again'),
    },
    { appendsOpenMax: config.APPENDS_OPEN_MAX, appendEveryMs: config.APPEND_EVERY_MS, queuedBytesMax: config.QUEUED_BYTES_MAX })
  const metrics = deps.metrics ?? createMetricsRegistry()
  const counters = createCounters(metrics, queue.queuedBytes)
  if (deps.spool) createSpoolGauges(metrics, deps.spool, clock.now)
  const openRequests = createOpenRequests({
    requestsMax: config.OPEN_REQUESTS_MAX, bytesMax: config.OPEN_BYTES_MAX, bodyBytesMax: config.BODY_BYTES_MAX, stopping: () => stopping,
  })
  const door = createDoor({ ...deps, config, counters, openRequests, queue })

  return {
    checks: [deps.spool ? spoolReady(deps.spool) : logReady(log), hotStoreReady(deps.hot)],
    routes: async (app) => {
      await app.register(collection(door, protocols))
      await app.register(async (api) => {
        api.addHook('onError', async (_request, _reply, error: unknown) => {
          const problem = problemOf(error)
          if (isTurnedAway(problem)) counters.turnedAway.inc({ code: problem.code })
        })
        await api.register(identityCommandRoutes(deps))
      })
    },
    start: async () => { stopping = false },
    drain: queue.drain,
    stop: async () => {
      stopping = true
      // A client that never ends its body must not keep a service from stopping: nothing of it was promised.
      await within(clock, config.STOP_MS_MAX, openRequests.idle(), undefined)
      await queue.drain()
    },
  }
}

/** With room in the spool events are taken, whether the log is there or not. */
const spoolReady = (spool: SpooledLog): ReadyCheck => ({
  name: 'log',
  check: async () => {
    await spool.ready()
    const { spooling, records } = spool.figures()
    return spooling ? `spooling: ${records} records wait for the log` : 'ok'
  },
})
