import type { Clock, ColumnStore, EventLog, HotStore, Ids } from '@millrace/ports'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { ConfigError } from './config.ts'
import { doorPart } from './door.ts'
import { healthRoutes, type ReadyCheck } from './health.ts'
import { createHttp } from './http.ts'
import { createLogger, type Logger } from './logger.ts'
import { createMetricsRegistry, metricsRoutes, type MetricsRegistry } from './metrics.ts'
import { openApiRoutes } from './openapi/routes.ts'
import { createProjects, type Projects } from './projects.ts'
import { type HostProcess, type Part, runService } from './run.ts'
import type { ServiceConfig } from './service-config.ts'
import { StartFault } from './start-fault.ts'
import { millraceVersion } from './version.ts'

/** What a wiring gives a process. */
export interface ServicePorts {
  readonly log: EventLog
  readonly hot: HotStore
  readonly columns: ColumnStore
  readonly clock: Clock
  readonly ids: Ids
  close(): Promise<void>
}

/** What a service is made of, once its ports are open. */
export interface ServiceKit extends Omit<ServicePorts, 'close'> {
  readonly logger: Logger
  readonly projects: Projects
  readonly metrics: MetricsRegistry
}

export interface Service {
  readonly routes: readonly FastifyPluginAsync[]
  /** What it needs to be ready. */
  readonly checks: readonly ReadyCheck[]
  start(): Promise<void>
  stop(): Promise<void>
  /** Further servers of the same process. */
  readonly doors?: readonly Part[]
}

export interface ServiceOptions<Ports extends ServicePorts> {
  readonly name: string
  readonly config: ServiceConfig
  open(logger: Logger): Promise<Ports>
  /** What a wiring gives beside the ports of every service comes along. */
  create(kit: ServiceKit & Omit<Ports, 'close'>): Service
}

/**
 * One service in a process of its own: ports, projects, its work, its HTTP, in this order; SIGTERM stops it in the mirror,
 * so that what was taken is handed on before the ports close. Exit code 0 when that took less than its bound, else 1.
 */
export const runServiceProcess = async <Ports extends ServicePorts>(host: HostProcess, options: ServiceOptions<Ports>): Promise<void> => {
  const { name, config } = options
  const logger = createLogger(config.LOG_LEVEL).child({ service: name })
  // A client that waits for its engine for ever would leave a process that neither works nor ends.
  const late = setTimeout(() => {
    logger.fatal({ event: 'service.start-late', afterMs: config.SERVICE_START_MS_MAX })
    host.exit(1)
  }, config.SERVICE_START_MS_MAX)
  await start(host, options, logger)
  clearTimeout(late)
}

const start = async <Ports extends ServicePorts>(host: HostProcess, { name, config, open, create }: ServiceOptions<Ports>, logger: Logger): Promise<void> => {
  const ports = await open(logger)
  const projects = createProjects(ports)
  const metrics = createMetricsRegistry({ process: true })
  const service = create({ ...ports, logger, projects, metrics })
  const app = createHttp({ logger, ids: ports.ids, hosts: config.HOST_NAMES, trustedProxies: config.TRUSTED_PROXIES })
  await registerAll(app, [openApiRoutes({ title: 'Millrace', version: millraceVersion() }, { hot: ports.hot, service: name }), healthRoutes(service.checks, ports.clock), metricsRoutes(metrics), ...service.routes])
  const parts: readonly Part[] = [
    { name: 'ports', start: async () => {}, stop: ports.close },
    { name: 'projects', start: projects.start, stop: projects.stop },
    { name, start: service.start, stop: service.stop },
    ...(service.doors ?? []),
    doorPart('http', app, { host: config.HOST, port: config.PORT, flag: 'PORT' }, (url) => logger.info({ event: 'service.listens', url })),
  ]
  await runService(parts, host, { logger, clock: ports.clock, stopMsMax: config.SERVICE_STOP_MS_MAX })
}

/** Ends a process that could not start: what a person can mend is one sentence, a fault of ours has its stack. */
export const endWithFault = (host: Pick<HostProcess, 'exit'> & { readonly stderr: { write(text: string): unknown } }) => (error: unknown): void => {
  const expected = error instanceof StartFault || error instanceof ConfigError
  host.stderr.write(`${expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  host.exit(1)
}

const registerAll = async (app: FastifyInstance, routes: readonly FastifyPluginAsync[]): Promise<void> => {
  for (const plugin of routes) await app.register(plugin)
}
