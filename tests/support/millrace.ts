import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../tidy/source-tree.ts'

/** One process, or one for each service over Kafka, Redis and ClickHouse. */
export type Wiring = 'embedded' | 'stack'

export interface MillraceOptions {
  /** Default: the variable MILLRACE_WIRING, else embedded. */
  readonly wiring?: Wiring
  /** Kept between starts; made anew and removed by `remove` unless given. */
  readonly dataDir?: string
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly ports?: { readonly http: number; readonly clickhouse: number }
  readonly readyTimeoutMs?: number
}

/** The built product in a process of its own, as a user runs it. */
export interface Millrace {
  readonly wiring: Wiring
  readonly url: string
  readonly clickhouseUrl: string
  readonly dataDir: string
  readonly writeKey: string
  readonly apiKey: string
  readonly pid: number
  /** Of the stack: the process id of each process, as it is now. */
  readonly processes: () => Readonly<Record<string, number>>
  /** What it printed so far. */
  readonly output: () => string
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  api<Answer>(path: string, body?: unknown, method?: string): Promise<Answer>
  send(events: readonly unknown[]): Promise<Response>
  sql<Row>(text: string): Promise<readonly Row[]>
  /** SIGTERM and wait. */
  stop(): Promise<number | string>
  kill(): Promise<void>
  remove(): void
}

export const WRITE_KEY = 'test-write-key'
export const API_KEY = 'test-api-key-0000'
/** Of one process, and of seven that share a busy machine. */
const READY_TIMEOUT_MS: Readonly<Record<Wiring, number>> = { embedded: 120_000, stack: 240_000 }
const MAIN: Readonly<Record<Wiring, string>> = { embedded: 'main.js', stack: 'stack/main.js' }
const POLL_MS = 20
/** The last line of the first screen. */
const SCREEN_END = /^ *curl \S+ -u analyst:.*\n/m

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

export const startMillrace = async (options: MillraceOptions = {}): Promise<Millrace> => {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'millrace-e2e-'))
  const ports = options.ports ?? { http: await freePort(), clickhouse: await freePort() }
  const args = ['--port', ports.http, '--clickhouse-port', ports.clickhouse, '--data-dir', dataDir, '--write-key', WRITE_KEY, '--api-key', API_KEY]
  const wiring = options.wiring ?? (process.env['MILLRACE_WIRING'] === 'stack' ? 'stack' : 'embedded')
  // As infra/local/run.mjs starts it.
  const child = spawn(process.execPath, ['--max-semi-space-size=64', join(root, 'packages/up/dist', MAIN[wiring]), ...args.map(String), ...(options.args ?? [])], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '16', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // A test that fails leaves nothing behind.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  const millrace = describe(child, wiring, ports, dataDir)
  const failed = await untilReady(millrace, options.readyTimeoutMs ?? READY_TIMEOUT_MS[wiring])
  if (failed !== null) throw new Error(`Millrace is not ready: ${failed}\n${millrace.output()}`)
  return millrace
}

/** Where each process tells of itself. */
export const processesOf = ({ wiring, url, dataDir }: Millrace): readonly string[] =>
  wiring === 'embedded' ? [url] : (JSON.parse(readFileSync(join(dataDir, 'addresses.json'), 'utf8')) as { processes: { url: string }[] }).processes.map((process) => process.url)

/** Asks until the answer satisfies, at most `timeoutMs`; the answer that did is given back. */
export const eventually = async <Answer>(ask: () => Promise<Answer>, satisfied: (answer: Answer) => boolean, timeoutMs = 60_000): Promise<Answer> => {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask().catch((error: unknown) => error as Error)
    // A question that is refused as wrong does not get right by asking again.
    if (answer instanceof Error && / 400 /.test(answer.message)) throw answer
    if (!(answer instanceof Error) && satisfied(answer)) return answer
    if (performance.now() > deadline) throw new Error(`not so within ${timeoutMs} ms: ${answer instanceof Error ? answer.message : JSON.stringify(answer).slice(0, 2000)}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

const describe = (child: ChildProcess, wiring: Wiring, ports: { http: number; clickhouse: number }, dataDir: string): Millrace => {
  const printed: string[] = []
  child.stdout!.on('data', (chunk: Buffer) => void printed.push(String(chunk)))
  child.stderr!.on('data', (chunk: Buffer) => void printed.push(String(chunk)))
  const ended = new Promise<number | string>((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown')))
  const url = `http://127.0.0.1:${ports.http}`
  const clickhouseUrl = `http://127.0.0.1:${ports.clickhouse}`
  return {
    wiring,
    url,
    clickhouseUrl,
    dataDir,
    pid: child.pid!,
    processes: () => JSON.parse(readFileSync(join(dataDir, 'processes.json'), 'utf8')) as Record<string, number>,
    output: () => printed.join(''),
    ended,
    ...clientOf({ url, clickhouseUrl }, { writeKey: WRITE_KEY, apiKey: API_KEY }),
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  }
}

/** What one project's keys open. */
type Client = Pick<Millrace, 'writeKey' | 'apiKey' | 'api' | 'send' | 'sql'>

const clientOf = ({ url, clickhouseUrl }: Pick<Millrace, 'url' | 'clickhouseUrl'>, { writeKey, apiKey }: Pick<Millrace, 'writeKey' | 'apiKey'>): Client => ({
  writeKey,
  apiKey,
  async api<Answer>(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return (text === '' ? null : JSON.parse(text)) as Answer
  },
  send: (events) =>
    fetch(`${url}/v1/batch`, { method: 'POST', body: JSON.stringify({ writeKey, batch: events, sentAt: null }), headers: { 'content-type': 'application/json' } }),
  async sql<Row>(text: string) {
    const answer = await fetch(clickhouseUrl, { method: 'POST', body: `${text} FORMAT JSONEachRow`, headers: { authorization: `Basic ${btoa(`analyst:${apiKey}`)}` } })
    const body = await answer.text()
    if (!answer.ok) throw new Error(`${answer.status} ${body}`)
    return body.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Row)
  },
})

/** The same instance through the keys of another, new project, as empty as a new instance; its owner starts and stops it. */
export const inNewProject = async (millrace: Millrace, name: string): Promise<Millrace> => {
  const keys = await millrace.api<{ writeKey: string; apiKey: string }>('/api/projects', { name })
  return { ...sharedOf(millrace), ...clientOf(millrace, keys) }
}

/** Who shares an instance does not stop it. */
export const sharedOf = (millrace: Millrace): Millrace => ({ ...millrace, stop: async () => 0, kill: async () => {}, remove: () => {} })

const untilReady = async (millrace: Millrace, timeoutMs: number): Promise<string | null> => {
  const deadline = performance.now() + timeoutMs
  const exited = millrace.ended.then((code) => `it ended with ${code}`)
  for (;;) {
    const state = await Promise.race([exited, fetch(`${millrace.url}/readyz`).then((answer) => answer.ok, () => false)])
    // It answers before it has told its keys and addresses, which a test reads.
    if (state === true && SCREEN_END.test(millrace.output())) return null
    if (typeof state === 'string') return state
    if (performance.now() > deadline) {
      await millrace.kill()
      return `no answer within ${timeoutMs} ms`
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
