import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, createLogger, millraceVersion } from '@millrace/service-kit'
import { firstScreen } from '../first-screen.ts'
import { StartFault } from '../folder/fault.ts'
import { localStackHelp, readLocalStackConfig, type LocalStackConfig } from './config.ts'
import { startLocalStack, type LocalStack } from './local-stack.ts'
import { openLogView } from './log-view.ts'

const STOP_MS_MAX = 100_000
/** Ctrl-C reaches us from the terminal and from the runner: what comes so soon is the same one. */
const SAME_SIGNAL_MS = 1_000

const main = async (): Promise<void> => {
  const defaultDataDir = fileURLToPath(new URL('../../../../.millrace-stack', import.meta.url))
  const given = readLocalStackConfig(process.argv.slice(2), process.env, defaultDataDir)
  if (!given) {
    process.stdout.write(localStackHelp())
    return
  }
  const config = { ...given, dataDir: resolve(given.dataDir) }
  const view = openLogView(join(config.dataDir, 'millrace.log'), (line) => console.error(line))
  const startedAt = performance.now()
  const starting = startLocalStack(config, {
    logger: createLogger(config.logLevel, { write: (line) => view.line('stack', line.trimEnd()) }),
    env: process.env,
    onLine: view.line,
    onStep: (text) => console.error(text),
  })
  stopOnSignal(starting)
  process.stdout.write(screenOf(config, await starting, (performance.now() - startedAt) / 1000))
}

const screenOf = (config: LocalStackConfig, { urls, setUp, engines }: LocalStack, seconds: number): string => {
  const { project, writeKey, apiKey } = setUp.keys
  return firstScreen({
    version: millraceVersion(), url: urls.http, clickhouseUrl: urls.clickhouse, dataDir: config.dataDir, project, writeKey, apiKey, seconds,
    link: `${urls.http}${setUp.signInPath}`,
    sync: 'disk',
    command: 'npm run stack',
    more: [
      ['Processes', Object.entries(config.copies).map(([name, count]) => `${count} × ${name}`).join(', '), 'pids in processes.json, all they say in millrace.log'],
      ['Engines', `Kafka ${engines.KAFKA_BROKERS.join(',')}, Redis ${engines.REDIS_URLS.join(',')}, ClickHouse ${engines.CLICKHOUSE_URL}`, ''],
    ],
  }, process.stdout.isTTY && !process.env['NO_COLOR'])
}

const stopOnSignal = (starting: Promise<LocalStack>): void => {
  let since: number | undefined
  const stop = (): void => {
    if (since !== undefined) {
      if (performance.now() - since > SAME_SIGNAL_MS) process.exit(130)
      return
    }
    since = performance.now()
    setTimeout(() => process.exit(1), STOP_MS_MAX).unref()
    // A start that is under way comes to its end first: it knows what it has started.
    starting.then((stack) => stack.stop()).then((clean) => process.exit(clean ? 0 : 1), () => process.exit(1))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

try {
  await main()
} catch (error) {
  console.error(error instanceof StartFault || error instanceof ConfigError ? error.message : error)
  process.exit(1)
}
