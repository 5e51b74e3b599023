import { join } from 'node:path'
import type { StackConfig } from '@millrace/wiring'
import type { Env } from '../config.ts'
import type { LocalStackConfig } from './config.ts'
import { serviceNames, type ServiceName } from './routes.ts'
import type { ProcessPlan } from './supervise.ts'

/** Where the engines of this machine answer. */
export type Engines = Pick<StackConfig, 'KAFKA_BROKERS' | 'REDIS_URLS' | 'CLICKHOUSE_URL' | 'CLICKHOUSE_USER' | 'CLICKHOUSE_PASSWORD'>

/** One process of a service. */
export interface Copy {
  readonly service: ServiceName
  readonly slot: number
  readonly port: number
  /** Of the analysts' door; metrics only. */
  readonly analystsPort: number | null
  readonly plan: ProcessPlan
}

export interface PlanOptions {
  readonly config: Pick<LocalStackConfig, 'copies' | 'names' | 'trustedProxies' | 'logLevel' | 'dataDir'>
  readonly engines: Engines
  readonly env: Env
  readonly freePort: () => Promise<number>
  /** The built `main.js` of a service. */
  readonly mainOf: (service: ServiceName) => string
}

/** One that hangs is sooner started again than waited for. */
const START_MS_MAX = 40_000

/** Requests that wait for the log are copied less often. */
const FLAGS: Readonly<Partial<Record<ServiceName, readonly string[]>>> = { ingest: ['--max-semi-space-size=32'] }

/** The processes of all services, in the order of their start: who reads before who writes. */
export const planCopies = async (options: PlanOptions): Promise<readonly Copy[]> => {
  const copies: Copy[] = []
  for (const service of [...serviceNames].reverse())
    for (let slot = 0; slot < options.config.copies[service]; slot++) copies.push(await planCopy(options, service, slot))
  return copies
}

/** As services are told of them. */
export const variablesOf = (engines: Engines): Readonly<Record<string, string>> => ({
  KAFKA_BROKERS: engines.KAFKA_BROKERS.join(','), KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT', REDIS_URLS: engines.REDIS_URLS.join(','),
  CLICKHOUSE_URL: engines.CLICKHOUSE_URL, CLICKHOUSE_USER: engines.CLICKHOUSE_USER, CLICKHOUSE_PASSWORD: engines.CLICKHOUSE_PASSWORD,
})

const planCopy = async ({ config, engines, env, freePort, mainOf }: PlanOptions, service: ServiceName, slot: number): Promise<Copy> => {
  const port = await freePort()
  const analystsPort = service === 'metrics' ? await freePort() : null
  return {
    service, slot, port, analystsPort,
    plan: {
      name: `${service}-${slot}`,
      command: process.execPath,
      // The folder is no argument of the service: a later start knows by it what a killed one has left.
      args: [...(FLAGS[service] ?? []), mainOf(service), config.dataDir],
      env: {
        ...env,
        COPY_SLOT: String(slot), HOST: '127.0.0.1', PORT: String(port), HOST_NAMES: config.names.join(','), TRUSTED_PROXIES: ['loopback', ...config.trustedProxies].join(','), LOG_LEVEL: config.logLevel,
        SERVICE_START_MS_MAX: String(START_MS_MAX),
        ...(analystsPort === null ? {} : { ANALYSTS_PORT: String(analystsPort) }),
        ...(service === 'ingest' ? { SPOOL_DIR: join(config.dataDir, `spool-${slot}`) } : {}),
        ...variablesOf(engines),
      },
    },
  }
}
