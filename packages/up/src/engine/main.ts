import { StoreError } from '@millrace/ports'
import { ConfigError, createLogger, readConfig } from '@millrace/service-kit'
import { StartFault } from '../folder/fault.ts'
import { engineConfig } from './config.ts'
import { startEngine } from './start.ts'

/** `millrace-clickhouse`: one line of JSON on stdout, `engine.listening`, tells that it answers. */
const main = async (): Promise<void> => {
  const config = readConfig(engineConfig, process.env)
  const logger = createLogger(config.LOG_LEVEL)
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4)
  // Each running statement holds a thread; with none left, even reading a request's body waits.
  if (threads <= config.ENGINE_CLIENTS) logger.warn({ event: 'engine.threads', threads, clients: config.ENGINE_CLIENTS }, 'start it with a larger UV_THREADPOOL_SIZE')
  const engine = await startEngine(config, { logger })
  const stop = (): void => void engine.stop().then((clean) => process.exit(clean ? 0 : 1))
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  logger.info({ event: 'engine.listening', url: engine.url })
}

try {
  await main()
} catch (error) {
  const expected = error instanceof StartFault || error instanceof ConfigError || error instanceof StoreError
  console.error(expected ? error.message : error)
  process.exit(1)
}
