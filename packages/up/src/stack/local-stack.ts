import { fileURLToPath } from 'node:url'
import { type Logger, proveFree } from '@millrace/service-kit'
import { stackConfig } from '@millrace/wiring'
import type { Env } from '../config.ts'
import { StartFault } from '../folder/fault.ts'
import { holdFolder } from '../folder/hold.ts'
import { runReplayProgram } from '../replay/programs.ts'
import { setUp, type SetUp } from '../set-up/set-up.ts'
import type { LocalStackConfig } from './config.ts'
import { removeAddresses, writeAddresses } from './addresses.ts'
import { startCopies, type Copies } from './copies.ts'
import { startEngines } from './engines.ts'
import { createFrontDoor, type Own } from './front-door.ts'
import { startKeeper, type Keeper } from './keeper.ts'
import { createProcessList, endLeftovers, type ProcessList } from './leftovers.ts'
import { freePort, listenAt } from './listen.ts'
import { type Engines, planCopies, variablesOf } from './plan.ts'
import { readFrontDoorTable, serviceOf, type ServiceName } from './routes.ts'
import type { Supervisor } from './supervise.ts'

export interface LocalStack {
  readonly urls: { readonly http: string; readonly clickhouse: string }
  readonly setUp: SetUp
  readonly engines: Engines
  /** Ends everything in the mirror of its start; false when something did not end within its bound. */
  stop(): Promise<boolean>
}

export interface LocalStackOptions {
  readonly logger: Logger
  readonly env: Env
  /** Each line that a process prints. */
  onLine(name: string, line: string): void
  /** Told between the steps of a start, which takes seconds. */
  onStep(text: string): void
}

const READY_MS_MAX = 150_000

/** Engines, set-up, services, front door: started in this order on this machine, each in a process of its own. */
export const startLocalStack = async (config: LocalStackConfig, options: LocalStackOptions): Promise<LocalStack> => {
  const undo = createUndo(options.logger)
  try {
    return await start(config, options, undo)
  } catch (error) {
    await undo.run()
    throw error
  }
}

const start = async (config: LocalStackConfig, { logger, env, onLine, onStep }: LocalStackOptions, undo: Undo): Promise<LocalStack> => {
  const { dataDir, host } = config
  const http = { host, port: config.port, flag: '--port' }
  const clickhouse = { host, port: config.clickhousePort, flag: '--clickhouse-port' }
  await proveFree(http)
  await proveFree(clickhouse)
  undo.add((await holdFolder(dataDir)).release)
  const left = await endLeftovers(dataDir)
  if (left.length > 0) logger.warn({ event: 'leftovers.ended', processes: left }, 'an earlier start was killed')
  const keeper = startKeeper()
  undo.add(async () => keeper.release())
  const supervisor = supervisorOf(logger, createProcessList(dataDir), keeper, onLine)

  onStep('Starting Kafka, Redis and ClickHouse …')
  const engines = await startEngines({ folder: dataDir, env, supervisor, undo: undo.add })
  if (config.from !== undefined) {
    onStep(`Filling the stack from ${config.from} …`)
    await fillFrom(config.from, engines, env)
  }
  onStep('Making topics, tables and the first project …')
  const made = await setUp({ ...stackConfig.parse({ COPY_SLOT: 'set-up' }), ...engines }, { ...config, demo: false })
  onStep('Starting the services …')
  const planned = await planCopies({ config, engines, env, freePort, mainOf })
  const copies = startCopies(planned, supervisor)
  undo.add(copies.stop)
  await copies.ready(READY_MS_MAX)

  const analysts = await listenAt(createFrontDoor(() => copies.next('metrics')?.analystsPort ?? null), clickhouse)
  undo.add(analysts.close)
  const table = readFrontDoorTable()
  const front = await listenAt(createFrontDoor((url) => copies.next(serviceOf(table, url))?.port ?? null, ownAnswers(copies)), http)
  undo.add(front.close)
  const processes = planned.map(({ plan, port }) => ({ name: plan.name, url: `http://127.0.0.1:${port}` }))
  await writeAddresses(dataDir, { url: front.url, processes, engines })
  undo.add(() => removeAddresses(dataDir))
  return { urls: { http: front.url, clickhouse: analysts.url }, setUp: made, engines, stop: undo.run }
}

/** A process of its own, since it may have to bring the folder to the end of its log in chDB first. @throws StartFault when it did not become whole; why is told by it */
const fillFrom = async (folder: string, engines: Engines, env: Env): Promise<void> => {
  if ((await runReplayProgram('main.js', ['--from', folder, '--to', 'stack'], { ...env, ...variablesOf(engines) })) !== 0) throw new StartFault(`The stack was not filled from ${folder}.`)
}

/** The built service. */
const mainOf = (service: ServiceName): string => fileURLToPath(new URL(`../../../../services/${service}/dist/main.js`, import.meta.url))

/** Of the stack as a whole; a service tells of itself on its own port. */
const ownAnswers = (copies: Copies): Own => (url) => {
  if (url === '/healthz') return Promise.resolve({ status: 200, body: { status: 'ok' } })
  if (url !== '/readyz') return null
  return copies.health().then(({ ready, parts }) => ({ status: ready ? 200 : 503, body: { status: ready ? 'ready' : 'not ready', parts } }))
}

const supervisorOf = (logger: Logger, list: ProcessList, keeper: Keeper, onLine: Supervisor['onLine']): Supervisor => ({
  onLine,
  onStarted: (name, pid) => {
    keeper.watch(pid)
    list.set(name, pid)
  },
  onEnded: (name, { pid, how, backOffMs }) => {
    list.set(name, null)
    if (pid !== undefined) keeper.forget(pid)
    if (backOffMs !== null) logger.warn({ event: 'process.ended', process: name, how, againInMs: backOffMs }, 'it is started again')
  },
})

interface Undo {
  /** `false` from one of them: it did not end cleanly. */
  add(action: () => Promise<unknown>): void
  run(): Promise<boolean>
}

/** What was started, to be ended in the mirror; one that fails does not keep the others. */
const createUndo = (logger: Logger): Undo => {
  const actions: (() => Promise<unknown>)[] = []
  const runAll = async (): Promise<boolean> => {
    let clean = true
    for (const action of actions.splice(0).reverse()) {
      const result = await action().catch((error: unknown) => {
        logger.error({ event: 'stack.stop-failed', err: error })
        return false
      })
      clean &&= result !== false
    }
    return clean
  }
  return { add: (action) => void actions.push(action), run: runAll }
}
