import { createZones, type Project, topics, type Zone } from '@millrace/contracts'
import type { Clock, ColumnStore, EventLog, HotStore, Subscription } from '@millrace/ports'
import {
  columnStoreReady, consumeFaults, createConsumerMetrics, createMetricsRegistry, findProject, hotStoreReady, logReady,
  type Logger, type MetricsRegistry, type Projects, type ReadyCheck,
} from '@millrace/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import { type ProfileBuilderConfig, profileBuilderConfig } from './config.ts'
import { createCounters } from './counters.ts'
import { openFold } from './fold/open-fold.ts'
import { keysOfPerson, lookupIdentity, openIdentity } from './identity/index.ts'
import { lookupKey, openResolve } from './resolve/index.ts'
import type { PersonFinder } from './routes/people.ts'
import { profileRoutes } from './routes/routes.ts'
import { createSnapshots } from './snapshots/snapshots.ts'

export interface ProfileBuilderDeps {
  readonly log: EventLog
  readonly hot: HotStore
  readonly columns: ColumnStore
  readonly clock: Clock
  readonly logger: Logger
  readonly projects: Projects
  /** Shared where several services run in one process. */
  readonly metrics?: MetricsRegistry
  /** Called at named points, for tests that end the process there. */
  readonly probe?: (point: string) => void
}

export interface ProfileBuilder {
  readonly routes: FastifyPluginAsync
  /** What it needs to resolve, to fold and to answer. */
  readonly checks: readonly ReadyCheck[]
  start(): Promise<void>
  /** Resolves when what was in events.accepted at the call is in the profiles, hot and in the column store. */
  drain(): Promise<void>
  stop(): Promise<void>
}

/** resolve, identity and fold, one after the other over the log; profiles over HTTP. Settings not given have their defaults. */
export const createProfileBuilder = (deps: ProfileBuilderDeps, settings: Partial<ProfileBuilderConfig> = {}): ProfileBuilder => {
  const config = { ...profileBuilderConfig.parse({}), ...settings }
  const { log, hot, projects, logger } = deps
  const zones = createZones()
  const zoneOf = ({ zone }: Pick<Project, 'zone'>): Zone => zones(zone)
  const finder = createFinder(hot)
  const snapshots = createSnapshots(
    {
      ...deps,
      zoneOf: async (id) => zoneOf(await findProject(projects, id)),
      onWritten: (rows) => counters.snapshotRows.inc(rows),
      onFailed: () => counters.snapshotFailures.inc(),
    },
    { intervalMs: config.SNAPSHOT_INTERVAL_MS, rowsMax: config.SNAPSHOT_ROWS_MAX, waitingMax: config.SNAPSHOT_WAITING_MAX },
  )
  const registry = deps.metrics ?? createMetricsRegistry()
  const counters = createCounters(registry, snapshots.waiting)
  const onFolded = (lines: number, moved: number): void => {
    counters.foldedLines.inc(lines)
    counters.movedStates.inc(moved)
  }
  const fold = {
    group: 'fold',
    topics: [topics.resolved.name],
    batchRecordsMax: config.FOLD_BATCH_RECORDS_MAX,
    batchBytesMax: config.FOLD_BATCH_BYTES_MAX,
    lingerMs: config.FOLD_LINGER_MS,
    open: openFold(
      { hot, settingsOf: (id) => findProject(projects, id), openSnapshots: snapshots.open, onFolded, ...(deps.probe ? { probe: deps.probe } : {}) },
      { cacheBytesMax: config.FOLD_CACHE_BYTES_MAX },
    ),
    onFault: consumeFaults(logger, 'fold'),
  }
  const { measured } = createConsumerMetrics({ registry, log, clock: deps.clock, logger })
  const all = { resolve: openResolve({ hot, projects, logger }), identity: openIdentity({ hot, projects, logger }), fold }
  const consumers = config.PROFILE_CONSUMERS.map((name) => measured(all[name]))
  let subscriptions: Subscription[] = []

  return {
    checks: [logReady(log), hotStoreReady(hot), columnStoreReady(deps.columns)],
    routes: profileRoutes({ ...deps, finder, zoneOf }),
    start: async () => {
      for (const options of consumers) subscriptions.push(await log.consume(options))
    },
    drain: async () => {
      await settle(log, () => subscriptions)
      await snapshots.flush()
    },
    stop: async () => {
      // What is not written now is found again at the next start; so a column store that is gone does not hold the stop up.
      await snapshots.flush().catch((err: unknown) => logger.warn({ event: 'snapshot.left', err }, 'written at the next start'))
      for (const subscription of subscriptions.splice(0).reverse()) await subscription.stop()
      await snapshots.stop()
    },
  }
}

/** The home knows where the events of a key are; identity knows keys under which none came. */
const createFinder = (hot: HotStore): PersonFinder => ({
  personOf: async (project, key) =>
    (await lookupKey(hot, project, key))?.person ?? (await lookupIdentity(hot, project, key))?.person ?? null,
  keysOf: (project, person) => keysOfPerson(hot, project, person),
})

const OWN_TOPICS = [topics.accepted, topics.facts, topics.resolved]
/** A placement and a moved state take six; under steady traffic there is always something new. */
const ROUNDS_MAX = 100

/**
 * The consumers feed each other (a placement goes back to events.accepted, a moved state to events.resolved), so they
 * are drained in turn until a round has appended nothing more.
 */
const settle = async (log: EventLog, subscriptions: () => readonly Subscription[]): Promise<void> => {
  const ends = async (): Promise<string> =>
    JSON.stringify(await Promise.all(OWN_TOPICS.map(async ({ name }) => (await log.extents(name)).map(({ next }) => next))))
  let before = ''
  for (let round = 0; round < ROUNDS_MAX; round++) {
    for (const subscription of subscriptions()) await subscription.drain()
    const after = await ends()
    if (after === before) return
    before = after
  }
}
