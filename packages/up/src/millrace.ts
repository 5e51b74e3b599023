import { createSystemClock } from '@millrace/adapters'
import { clickHouseHttpDefaults, createClickHouseServer } from '@millrace/clickhouse-http'
import { createIngest } from '@millrace/ingest'
import { createMetrics, metricsConfig } from '@millrace/metrics'
import type { Clock } from '@millrace/ports'
import { createProfileBuilder } from '@millrace/profile-builder'
import { createSegmentation, segmentationConfig } from '@millrace/segmentation'
import {
  createHttp, createMetricsRegistry, createProjects, createSignInPath, doorPart, healthRoutes, metricsRoutes, millraceVersion, openApiRoutes, pageRoutes,
  projectRoutes, proveFree, signInRoutes, sourceRoutes, startParts, within,
  type Address, type Logger, type Projects,
} from '@millrace/service-kit'
import type { UpConfig } from './config.ts'
import { drainAll } from './drain.ts'
import { firstProject, type FirstKeys } from './first-project.ts'
import { openFolder, type Opened, type Ports } from './folder/open-folder.ts'
import type { Probe } from './probe/kill-probe.ts'

export interface MillraceOptions {
  readonly logger: Logger
  /** A test's clock; the system's unless given. */
  readonly clock?: Clock | undefined
  readonly probe?: Probe | undefined
}

/** Everything in one process, running. */
export interface Millrace {
  readonly urls: { readonly http: string; readonly clickhouse: string }
  readonly keys: FirstKeys
  readonly ports: Ports
  readonly projects: Projects
  /** A path that signs one browser in, once. */
  signInPath(): Promise<string>
  /** Resolves when everything that was sent is in every answer. */
  drain(): Promise<void>
  /** False when something did not stop within its bound; nothing is lost by that. */
  stop(): Promise<boolean>
}

/** Ten seconds after the signal the process is gone: the rest is for what stops last. */
const STOP_MS_MAX = 8_000
const DRAIN_MS_MAX = 3_000

/** Opens the folder and starts everything in order. @throws StartFault: one sentence for the person at the terminal */
export const startMillrace = async (config: UpConfig, options: MillraceOptions): Promise<Millrace> => {
  const addresses = addressesOf(config)
  await proveFree(addresses.http)
  await proveFree(addresses.clickhouse)
  const opened = await openFolder(config, options)
  try {
    return await compose(config, options, opened, addresses)
  } catch (error) {
    await opened.close()
    throw error
  }
}

const compose = async (config: UpConfig, { logger, probe }: MillraceOptions, opened: Opened, addresses: Addresses): Promise<Millrace> => {
  const { ports } = opened
  // Stopping takes real time, whatever a test's clock says.
  const wall = createSystemClock()
  const projects = createProjects(ports)
  const services = createServices({ ...ports, logger, projects, ...(probe ? { probe } : {}) })
  const http = await httpOf(config, logger, ports, projects, services)
  const clickhouse = createClickHouseServer({ ...ports, logger, authenticate: (key) => projects.byApiKey(key)?.project.id ?? null }, clickHouseHttpDefaults)
  const flow = [services.ingest, services.profileBuilder, services.segmentation, services.metrics]
  const drain = (): Promise<void> => drainAll(ports.log, flow)
  const urls = { http: '', clickhouse: '' }
  let keys: FirstKeys | undefined
  const running = await startParts(
    [
      { name: 'folder', start: async () => {}, stop: opened.close },
      { name: 'projects', start: projects.start, stop: projects.stop },
      { name: 'first-project', start: async () => void (keys = await firstProject(projects, config)), stop: async () => {} },
      { name: 'metrics', ...services.metrics },
      { name: 'segmentation', ...services.segmentation },
      { name: 'profile-builder', ...services.profileBuilder },
      // Nothing is lost by not waiting longer: what is in the log is handled after the next start.
      { name: 'drained', start: async () => {}, stop: () => within(wall, DRAIN_MS_MAX, drain(), undefined) },
      { name: 'ingest', ...services.ingest },
      doorPart('clickhouse', clickhouse, addresses.clickhouse, (url) => (urls.clickhouse = url)),
      doorPart('http', http, addresses.http, (url) => (urls.http = url)),
    ],
    { logger, clock: wall, stopMsMax: STOP_MS_MAX },
  )
  return {
    urls,
    keys: keys!,
    ports,
    projects,
    signInPath: () => createSignInPath(ports, { project: keys!.project.id, role: 'admin' }),
    drain,
    stop: running.stop,
  }
}

type ServiceDeps = Ports & { readonly logger: Logger; readonly projects: Projects; readonly probe?: Probe }

const createServices = (given: ServiceDeps) => {
  const registry = createMetricsRegistry({ process: true })
  const deps = { ...given, metrics: registry }
  return {
    registry,
    ingest: createIngest(deps),
    profileBuilder: createProfileBuilder(deps),
    segmentation: createSegmentation(deps, segmentationConfig.parse({})),
    metrics: createMetrics(deps, metricsConfig.parse({})),
  }
}

/** All routes of all services on one port. */
const httpOf = async (config: UpConfig, logger: Logger, ports: Ports, projects: Projects, services: ReturnType<typeof createServices>) => {
  const access = { projects, ...ports }
  const app = createHttp({ logger, ids: ports.ids, hosts: config.names, trustedProxies: config.trustedProxies })
  await app.register(openApiRoutes({ title: 'Millrace', version: millraceVersion() }))
  await app.register(healthRoutes([services.ingest, services.profileBuilder, services.segmentation, services.metrics].flatMap(({ checks }) => checks), ports.clock))
  await app.register(metricsRoutes(services.registry))
  await app.register(signInRoutes(access))
  await app.register(projectRoutes(access))
  await app.register(sourceRoutes(access))
  await app.register(services.ingest.routes)
  await app.register(services.profileBuilder.routes)
  await app.register(services.segmentation.routes)
  await app.register(services.metrics.routes)
  await app.register(pageRoutes(access))
  return app
}

interface Addresses {
  readonly http: Address
  readonly clickhouse: Address
}

const addressesOf = ({ host, port, clickhousePort }: UpConfig): Addresses => ({
  http: { host, port, flag: '--port' },
  clickhouse: { host, port: clickhousePort, flag: '--clickhouse-port' },
})
