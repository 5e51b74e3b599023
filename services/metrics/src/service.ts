import type { Clock, ColumnStore, EventLog, HotStore, Subscription } from '@millrace/ports'
import {
  columnStoreReady, consumeFaults, createConsumerMetrics, createMetricsRegistry, findProject, hotStoreReady, logReady, requireApiKey,
  type Logger, type MetricsRegistry, type Projects, type ReadyCheck,
} from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { MetricsConfig } from './config.ts'
import { createCounters } from './counters.ts'
import { RECEIVED_TOPICS } from './ledger/ledger.ts'
import { receivedCounter } from './ledger/received.ts'
import { createLedgerUpsert } from './ledger/upsert.ts'
import { createOverview } from './live/overview.ts'
import { createOwned } from './live/owned.ts'
import { createLiveStream } from './live/stream.ts'
import { createLiveTail } from './live/tail.ts'
import type { Asking } from './questions/ask.ts'
import { catalogueRoutes } from './routes/catalogue.ts'
import { ledgerRoutes } from './routes/ledger.ts'
import { liveRoutes } from './routes/live.ts'
import { questionRoutes } from './routes/questions.ts'
import { rejectedRoutes } from './routes/rejected.ts'
import { sourceActivityRoutes } from './routes/source-activity.ts'
import { sinkConsumer } from './sink/sink.ts'
import type { SinkStrategy } from './sink/strategy.ts'

export interface MetricsDeps {
  readonly log: EventLog
  readonly hot: HotStore
  readonly columns: ColumnStore
  readonly clock: Clock
  readonly logger: Logger
  readonly projects: Projects
  /** Shared where several services run in one process. */
  readonly metrics?: MetricsRegistry
  /** Only tests give these: points at which the process is ended, and a sink that must fail. */
  readonly probe?: (point: string) => void
  readonly strategy?: SinkStrategy
}

export interface Metrics {
  readonly routes: FastifyPluginAsync
  /** What it needs to store and to answer. */
  readonly checks: readonly ReadyCheck[]
  start(): Promise<void>
  /** Resolves when everything that was in the log at the call is stored and counted. */
  drain(): Promise<void>
  stop(): Promise<void>
}

/** The sink, the ledger, and the answers to questions. The warehouse must have been migrated before `start`. */
export const createMetrics = (deps: MetricsDeps, config: MetricsConfig): Metrics => {
  const { log, hot, columns, clock, logger, projects } = deps
  const registry = deps.metrics ?? createMetricsRegistry()
  const consumers = createConsumerMetrics({ registry, log, clock, logger })
  const counters = createCounters({ registry, log, hot, columns, clock, logger })
  const tail = createLiveTail()
  const owned = createOwned(clock)
  const overview = createOverview({ tail, isWhole: owned.isWhole, columns, clock })
  const stream = createLiveStream(overview, clock, { clientsMax: config.LIVE_CLIENTS_MAX, everyMs: config.LIVE_EVERY_MS })
  const onFault = (error: unknown): void => logger.error({ event: 'ledger.upsert-failed', err: error })
  const upsert = createLedgerUpsert({ log, hot, columns, clock, onFault })
  const asking: Asking = {
    columns,
    bounds: { queryMsMax: config.QUERY_MS_MAX, queryMemoryBytesMax: config.QUERY_MEMORY_BYTES_MAX, queryRowsMax: config.QUERY_ROWS_MAX },
  }
  const sink = consumers.measured(owned.watched(sinkConsumer(
    {
      columns,
      projectOf: (id) => findProject(projects, id),
      onFault: consumeFaults(logger, 'sink'),
      batchStored: (batch) => {
        counters.stored(batch)
        const touched = tail.add(batch)
        overview.changed(touched)
        stream.changed(touched)
        upsert.changed()
      },
      ...(deps.probe && { probe: deps.probe }),
      ...(deps.strategy && { strategy: deps.strategy }),
    },
    {
      lingerMs: config.SINK_LINGER_MS,
      batchRecordsMax: config.SINK_BATCH_RECORDS_MAX,
      batchBytesMax: config.SINK_BATCH_BYTES_MAX,
    },
  )))
  const counter = consumers.measured(receivedCounter({ hot, onFault: consumeFaults(logger, 'ledger'), stored: upsert.changed }, RECEIVED_TOPICS))
  let subscriptions: readonly Subscription[] = []
  return {
    checks: [logReady(log), hotStoreReady(hot), columnStoreReady(columns)],
    routes: async (app) => {
      app.addHook('preHandler', requireApiKey({ projects, hot, clock }))
      // A page that watches would keep the server from closing.
      app.addHook('preClose', (done) => {
        stream.stop()
        done()
      })
      await app.register(questionRoutes(asking))
      await app.register(ledgerRoutes({ log, hot, columns }))
      await app.register(sourceActivityRoutes({ ...asking, log, hot, clock }))
      await app.register(liveRoutes({ overviewOf: overview.of, stream }))
      await app.register(catalogueRoutes(asking))
      await app.register(rejectedRoutes(asking))
    },
    start: async () => {
      subscriptions = [await log.consume(sink), await log.consume(counter)]
    },
    drain: async () => {
      await Promise.all(subscriptions.map((subscription) => subscription.drain()))
      await upsert.flush()
    },
    stop: async () => {
      stream.stop()
      for (const subscription of [...subscriptions].reverse()) await subscription.stop()
      subscriptions = []
      await upsert.stop()
    },
  }
}
