import { createChdbEngine, createSystemClock, createSystemIds } from '@millrace/adapters'
import { createClickHouseServer, createEngineServer, type ClickHouseHttpDeps } from '@millrace/clickhouse-http'
import { doorPart, startParts, type Logger, type Running } from '@millrace/service-kit'
import type { EngineConfig } from './config.ts'

export interface EngineOptions {
  readonly logger: Logger
  /** The analysts' endpoint beside it, with its guard, where somebody can tell whose an API key is. */
  readonly analysts?: { readonly port: number; readonly authenticate: ClickHouseHttpDeps['authenticate'] } | undefined
}

export interface RunningEngine extends Running {
  /** For services; the user and the password are in the settings. */
  readonly url: string
  readonly analystsUrl: string | null
}

/** Statements that run when the process is asked to stop have this long to end. */
const STOP_MS_MAX = 20_000

/**
 * ClickHouse as a process of its own where there is no server: chDB behind ClickHouse's HTTP protocol.
 * @throws StoreError when another process has the folder
 */
export const startEngine = async (config: EngineConfig, { logger, analysts }: EngineOptions): Promise<RunningEngine> => {
  const ids = createSystemIds()
  const engine = createChdbEngine({ path: config.ENGINE_DATA_DIR, clients: config.ENGINE_CLIENTS, memoryBytesMax: config.ENGINE_MEMORY_BYTES_MAX })
  const urls: { services: string; analysts: string | null } = { services: '', analysts: null }
  const host = config.ENGINE_HOST
  const services = createEngineServer({ engine, ids, logger, user: { user: config.CLICKHOUSE_USER, password: config.CLICKHOUSE_PASSWORD } })
  const parts = [
    { name: 'tables', start: async () => {}, stop: engine.store.close },
    doorPart('services', services, { host, port: config.ENGINE_PORT, flag: 'ENGINE_PORT' }, (url) => (urls.services = url)),
  ]
  if (analysts) {
    const server = createClickHouseServer({ columns: engine.store, ids, logger, authenticate: analysts.authenticate })
    parts.push(doorPart('analysts', server, { host, port: analysts.port, flag: 'the port of the analysts' }, (url) => (urls.analysts = url)))
  }
  const running = await startParts(parts, { logger, clock: createSystemClock(), stopMsMax: STOP_MS_MAX })
  return { url: urls.services, analystsUrl: urls.analysts, stop: running.stop }
}
