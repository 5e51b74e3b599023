import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClickHouseStore, type ClickHouseOptions } from '@millrace/adapters'
import type { ColumnStore } from '@millrace/ports'
import { root } from '../tidy/source-tree.ts'
import { freePort } from './millrace.ts'

/** The engine in a process of its own, as the stack runs it where there is no ClickHouse. */
export interface EngineProcess {
  readonly url: string
  /** Header of its user. */
  readonly authorization: string
  store(options?: Partial<ClickHouseOptions>): ColumnStore
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>
  /** On the same folder and port. */
  start(): Promise<void>
  /** Kills it and removes the folder. */
  remove(): Promise<void>
}

const USER = 'millrace'
const PASSWORD = 'a test\'s "password" 密'

export const startEngineProcess = async (env: Readonly<Record<string, string>> = {}): Promise<EngineProcess> => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-engine-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const settings = {
    ENGINE_DATA_DIR: join(dir, 'store'), ENGINE_PORT: String(port), CLICKHOUSE_USER: USER, CLICKHOUSE_PASSWORD: PASSWORD,
    UV_THREADPOOL_SIZE: '16', NODE_OPTIONS: '', ...env,
  }
  const launch = () => spawn(process.execPath, [join(root, 'packages/up/dist/engine/main.js')], { env: { ...process.env, ...settings }, stdio: ['ignore', 'pipe', 'pipe'] })
  let child: ReturnType<typeof launch> | undefined
  // A test that fails leaves nothing behind.
  process.once('exit', () => child?.kill('SIGKILL'))
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> => {
    const ending = child
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return ending?.exitCode ?? null
    const ended = once(ending, 'exit')
    ending.kill(signal)
    return (await ended)[0] as number | null
  }
  const engine: EngineProcess = {
    url,
    authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`,
    store: (options) => createClickHouseStore({ url, username: USER, password: PASSWORD, ...options }),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    start: async () => listening((child = launch())),
    remove: async () => {
      await end('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    },
  }
  await engine.start()
  return engine
}

/** A server for tests that somebody has: `http://user:password@host:8123`. Its databases millrace…, default and suite are used up. */
export const realServer = process.env['MILLRACE_TEST_CLICKHOUSE_URL']

/** That server, emptied, else the engine in a process of its own, which ends with the store. */
export const openTestServer = async (): Promise<ColumnStore> => {
  if (realServer !== undefined) return openRealServer(realServer)
  const engine = await startEngineProcess()
  const store = engine.store()
  return { ...store, close: async () => (await store.close(), await engine.remove()) }
}

export const openRealServer = async (address: string): Promise<ColumnStore> => {
  const { origin, username, password } = new URL(address)
  const store = createClickHouseStore({ url: origin, username: decodeURIComponent(username), password: decodeURIComponent(password) })
  for (const { name } of await store.query<{ name: string }>("SELECT name FROM system.databases WHERE name LIKE 'millrace%' OR name = 'suite'")) await store.command(`DROP DATABASE ${name} SYNC`)
  return store
}

const listening = (child: ReturnType<typeof spawn>): Promise<void> =>
  new Promise((resolve, reject) => {
    let output = ''
    const read = (chunk: Buffer): void => {
      output += String(chunk)
      if (output.includes('engine.listening')) resolve()
    }
    child.stdout!.on('data', read)
    child.stderr!.on('data', read)
    child.once('exit', (code, signal) => reject(new Error(`the engine ended with ${code ?? signal}: ${output}`)))
  })
