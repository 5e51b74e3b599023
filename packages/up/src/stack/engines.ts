import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { redisServer } from '@millrace/testkit'
import { planKafkaBroker } from '../../../../infra/local/kafka/broker.mjs'
import type { Env } from '../config.ts'
import { freePort } from './listen.ts'
import type { Engines } from './plan.ts'
import { supervise, type ProcessPlan, type Supervised, type Supervisor } from './supervise.ts'

export interface EnginesOptions {
  /** Data of all three, each in a folder of its own. */
  readonly folder: string
  readonly env: Env
  readonly supervisor: Supervisor
  /** Given what ends them, before they answer. */
  undo(action: () => Promise<unknown>): void
}

/** Programs that are fetched once, for all folders. */
const CACHE = fileURLToPath(new URL('../../../../node_modules/.cache/millrace', import.meta.url))
const LISTEN_MS_MAX = 60_000
const LOOK_MS = 50

/** Kafka, Redis and ClickHouse on free ports of this machine; resolves when all three listen. */
export const startEngines = async ({ folder, env, supervisor, undo }: EnginesOptions): Promise<Engines> => {
  const kafka = await planKafkaBroker({ cacheFolder: CACHE, folder: join(folder, 'kafka') })
  const redis = await planRedis(join(folder, 'redis'))
  const clickhouse = await planClickHouse(join(folder, 'clickhouse'))
  const running: Supervised[] = []
  undo(async () => (await Promise.all(running.map((engine) => engine.stop()))).every(Boolean))
  for (const plan of [{ ...kafka, name: 'kafka', env }, { ...redis, env }, { ...clickhouse, env: { ...env, ...clickhouse.env } }]) running.push(supervise(plan, supervisor))
  await Promise.all([kafka, redis, clickhouse].map(({ port }) => untilListening(port)))
  return {
    KAFKA_BROKERS: [`127.0.0.1:${kafka.port}`],
    REDIS_URLS: [`redis://127.0.0.1:${redis.port}`],
    CLICKHOUSE_URL: `http://127.0.0.1:${clickhouse.port}`,
    CLICKHOUSE_USER: clickhouse.user,
    CLICKHOUSE_PASSWORD: clickhouse.password,
  }
}

type EnginePlan = ProcessPlan & { readonly port: number }

/** Each write goes to its file at once and to the disk every second: what a power cut takes back is folded again from the log. */
const planRedis = async (folder: string): Promise<EnginePlan> => {
  const port = await freePort()
  await mkdir(folder, { recursive: true })
  const settings = { port: String(port), bind: '127.0.0.1', dir: folder, save: '', appendonly: 'yes', appendfsync: 'everysec', 'maxmemory-policy': 'noeviction' }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  return { name: 'redis', command: redisServer(CACHE), args, env: {}, port }
}

const USER = 'millrace'
/** A thread for each statement, and some for files. */
const THREADS = 16

/** ClickHouse in a process of its own; its password is new at each start, since nobody but the services of this start needs it. */
const planClickHouse = async (folder: string): Promise<EnginePlan & { readonly user: string; readonly password: string }> => {
  const [port, password] = [await freePort(), randomBytes(24).toString('hex')]
  await mkdir(folder, { recursive: true })
  const env = { UV_THREADPOOL_SIZE: String(THREADS), ENGINE_DATA_DIR: folder, ENGINE_PORT: String(port), CLICKHOUSE_USER: USER, CLICKHOUSE_PASSWORD: password }
  const main = fileURLToPath(new URL('../engine/main.js', import.meta.url))
  return { name: 'clickhouse', command: process.execPath, args: [main, folder], env, port, user: USER, password }
}

const untilListening = async (port: number): Promise<void> => {
  const deadline = performance.now() + LISTEN_MS_MAX
  while (!(await isListening(port))) {
    if (performance.now() > deadline) throw new Error(`nothing listens on port ${port} after ${LISTEN_MS_MAX} ms; the log tells what the engines say`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).once('error', () => resolve(false))
  })
