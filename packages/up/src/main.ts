import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createToldClock } from '@millrace/adapters'
import { ConfigError, millraceVersion } from '@millrace/service-kit'
import { readUpConfig, upHelp, type UpConfig } from './config.ts'
import { runDemo } from './demo/run.ts'
import { totalsText } from './demo/fill.ts'
import { startProgress, type Progress } from './door/progress.ts'
import { firstScreen } from './first-screen.ts'
import { folderPaths } from './folder/data-folder.ts'
import { StartFault } from './folder/fault.ts'
import { openMessages } from './messages.ts'
import { startMillrace, type Millrace } from './millrace.ts'
import { killProbe } from './probe/kill-probe.ts'

const STOP_MS_MAX = 10_000
/** Ctrl-C reaches us from the terminal and from the runner: what comes so soon is the same one. */
const SAME_SIGNAL_MS = 1_000

const main = async (): Promise<void> => {
  const { env } = process
  const defaultDataDir = fileURLToPath(new URL('../../../.millrace', import.meta.url))
  const config = readUpConfig(process.argv.slice(2), env, defaultDataDir)
  if (!config) {
    process.stdout.write(upHelp())
    return
  }
  const settled = { ...config, dataDir: resolve(config.dataDir) }
  const messages = openMessages(config.logLevel, folderPaths(settled.dataDir).messages, (line) => console.error(line))
  process.on('uncaughtExceptionMonitor', (error) => messages.logger.fatal({ event: 'process.failed', err: error }))
  const startedAt = performance.now()
  const millrace = await startMillrace(settled, {
    logger: messages.logger,
    clock: env['MILLRACE_TEST_CLOCK'] ? createToldClock(env['MILLRACE_TEST_CLOCK']) : undefined,
    probe: env['MILLRACE_PROBE_KILL'] ? killProbe(env['MILLRACE_PROBE_KILL'], killAfter) : undefined,
  })
  messages.logger.info({ event: 'millrace.started', version: millraceVersion(), dataDir: settled.dataDir, ...millrace.urls })
  stopOnSignal(millrace, (clean) => messages.logger.info({ event: 'millrace.stopped', clean }))
  process.stdout.write(await screenOf(settled, millrace, (performance.now() - startedAt) / 1000))
  if (config.demo) await demo(millrace, config.demoPeople)
}

const screenOf = async ({ dataDir, sync }: UpConfig, millrace: Millrace, seconds: number): Promise<string> => {
  const { project, writeKey, apiKey } = millrace.keys
  const { http, clickhouse } = millrace.urls
  const link = `${http}${await millrace.signInPath()}`
  const screen = { version: millraceVersion(), url: http, clickhouseUrl: clickhouse, dataDir, project, writeKey, apiKey, link, seconds, sync, command: 'npm start' as const }
  return firstScreen(screen, process.stdout.isTTY && !process.env['NO_COLOR'])
}

const demo = async (millrace: Millrace, people: number): Promise<void> => {
  let progress: Progress | undefined
  const apiKey = async (): Promise<string> => {
    if (millrace.keys.apiKey) return millrace.keys.apiKey
    const made = await millrace.projects.addApiKey(millrace.keys.project.id, 'admin')
    console.log(`  API key     ${made}  made for the demo, shown only now: keep it\n`)
    return made
  }
  const moved = (sent: number, total: number): void => {
    progress ??= startProgress('  Filling', total, process.stderr)
    progress.moved(sent, sent)
  }
  const totals = await runDemo(millrace, { people, apiKey, moved })
  progress?.end()
  // Others may send meanwhile, so that it never rests: then the figures follow a moment later.
  if (totals) await millrace.drain().catch(() => undefined)
  console.log(totals ? `\n  ${totalsText(totals)}\n` : '  --demo fills an empty Millrace; this folder has events already, and is left as it is.\n')
}

const stopOnSignal = (millrace: Millrace, stopped: (clean: boolean) => void): void => {
  let since: number | undefined
  const stop = (): void => {
    if (since !== undefined) {
      if (performance.now() - since > SAME_SIGNAL_MS) process.exit(130)
      return
    }
    since = performance.now()
    setTimeout(() => process.exit(1), STOP_MS_MAX).unref()
    const end = (clean: boolean): void => {
      stopped(clean)
      process.exit(clean ? 0 : 1)
    }
    millrace.stop().then(end, () => end(false))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

const killAfter = (ms: number): void => {
  const kill = (): void => void process.kill(process.pid, 'SIGKILL')
  if (ms === 0) kill()
  else setTimeout(kill, ms)
}

try {
  await main()
} catch (error) {
  const expected = error instanceof StartFault || error instanceof ConfigError
  console.error(expected ? error.message : error)
  process.exit(1)
}
