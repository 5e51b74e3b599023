import { createZones, topics, type Zone } from '@millrace/contracts'
import type { Clock, ColumnStore, EventLog, HotStore, Ids, Subscription } from '@millrace/ports'
import {
  columnStoreReady, consumeFaults, createConsumerMetrics, createMetricsRegistry, findProject, hotStoreReady, logReady,
  type Logger, type MetricsRegistry, type Projects, type ReadyCheck,
} from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { SegmentationConfig } from './config.ts'
import { dialect } from './dialect.ts'
import { type ConsumeDeps, GROUP, INPUT, openConsumer, type PartitionWatch } from './handlers/consume.ts'
import { RULES_HOME } from './handlers/records.ts'
import { createBackfillJob } from './jobs/backfill.ts'
import { watchTimers } from './jobs/timers.ts'
import { segmentRoutes } from './routes/routes.ts'
import { createRuleNews, type RuleNews } from './routes/rule-news.ts'

export interface SegmentationDeps {
  readonly log: EventLog
  readonly hot: HotStore
  readonly columns: ColumnStore
  readonly clock: Clock
  readonly ids: Ids
  readonly logger: Logger
  readonly projects: Projects
  /** Shared where several services run in one process. */
  readonly metrics?: MetricsRegistry
  /** Told at points where a test may kill the process. */
  readonly probe?: (point: string) => void
}

export interface Segmentation {
  readonly routes: FastifyPluginAsync
  /** What it needs to evaluate, to fill a new rule and to answer. */
  readonly checks: readonly ReadyCheck[]
  start(): Promise<void>
  /** Resolves when everything that was in events.resolved at the call has been folded and stored. */
  drain(): Promise<void>
  stop(): Promise<void>
}

/** Keeps every rule's members up to date from events.resolved, and answers questions about them. */
export const createSegmentation = (deps: SegmentationDeps, config: SegmentationConfig): Segmentation => {
  const news = createRuleNews()
  const zoneOf = createZones()
  const { measured } = createConsumerMetrics({ ...deps, registry: deps.metrics ?? createMetricsRegistry() })
  let subscription: Subscription | undefined
  const consumer = measured({
    group: GROUP,
    topics: [INPUT],
    batchRecordsMax: config.SEGMENTATION_BATCH_RECORDS_MAX,
    batchBytesMax: config.SEGMENTATION_BATCH_BYTES_MAX,
    lingerMs: config.SEGMENTATION_LINGER_MS,
    open: openConsumer(consumeDeps({ ...deps, zoneOf }, config, news)),
    onFault: consumeFaults(deps.logger, GROUP),
  })
  return {
    checks: [logReady(deps.log), hotStoreReady(deps.hot), columnStoreReady(deps.columns)],
    routes: segmentRoutes({ ...deps, zoneOf }, config, news),
    start: async () => {
      subscription = await deps.log.consume(consumer)
    },
    drain: async () => subscription?.drain(),
    stop: async () => subscription?.stop(),
  }
}

/** Not a setting: flips would depend on it. A step over so many takes some 100 ms. */
const TIMERS_PER_MOVE_MAX = 5_000

/** With the calendars that routes and consumers share. */
export type SharedDeps = SegmentationDeps & { readonly zoneOf: (name: string) => Zone }

const consumeDeps = (deps: SharedDeps, config: SegmentationConfig, news: RuleNews): ConsumeDeps => {
  const probe = deps.probe ?? (() => {})
  const projectOf = (id: number): ReturnType<typeof findProject> => findProject(deps.projects, id)
  const shared = { ...deps, probe, projectOf, dialect, projectId: () => deps.projects.all()[0]?.id ?? 1 }
  const watch = (partition: number): PartitionWatch => {
    const timers = watchTimers(shared, partition)
    const job = partition === RULES_HOME ? createBackfillJob({ ...shared, numbersPerPage: config.BACKFILL_NUMBERS_PER_PAGE, pollMs: config.BACKFILL_POLL_MS }) : null
    job?.kick()
    return {
      stored: ({ clock, earliestTimer, rulesChanged }) => {
        timers.stored(clock, earliestTimer)
        if (!rulesChanged) return
        if (partition === RULES_HOME) news.tell()
        job?.kick()
      },
      close: async () => {
        timers.stop()
        await job?.stop()
      },
    }
  }
  return {
    hot: deps.hot,
    projectOf,
    zoneOf: deps.zoneOf,
    peopleCachedMax: config.SEGMENTATION_PEOPLE_CACHED_MAX,
    peopleBytesMax: config.SEGMENTATION_PEOPLE_BYTES_MAX,
    acceptedPartitions: topics.accepted.partitions,
    timersPerMoveMax: TIMERS_PER_MOVE_MAX,
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    watch,
    probe,
  }
}
