import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../tidy/source-tree.ts'

/** What ingest said of its spool, by event; of all its lives together. */
export interface Told {
  readonly events: ReadonlyMap<string, number>
  /** Records of which it was not known whether the log has them, and those that it had. */
  readonly inDoubt: number
  readonly found: number
}

/** Ingest in a process of its own, that can be killed and started again. */
export interface IngestProcess {
  readonly url: string
  /** Starts it; resolves when it says that it is ready. */
  start(): Promise<void>
  /** kill -9. */
  kill(): Promise<void>
  /** SIGTERM. @returns its exit code */
  stop(): Promise<number | null>
  /** What waits in its spool, by its metrics. */
  spooledRecords(): Promise<number>
  /** The state of the log, by `/readyz`. */
  logState(): Promise<string>
  told(): Told
  output(): string
}

const POLL_MS = 50
const READY_MS_MAX = 60_000

export const createIngestProcess = (port: number, env: Readonly<Record<string, string>>): IngestProcess => {
  const url = `http://127.0.0.1:${port}`
  const lines: string[] = []
  let child: ChildProcess | null = null

  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> => {
    const ending = child
    child = null
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return ending?.exitCode ?? null
    const ended = new Promise<number | null>((resolve) => ending.once('exit', resolve))
    ending.kill(signal)
    return ended
  }
  return {
    url,
    start: async () => {
      const started = spawn(process.execPath, [join(root, 'services/ingest/dist/main.js')], {
        env: { PATH: process.env['PATH'], UV_THREADPOOL_SIZE: '16', COPY_SLOT: '0', PORT: String(port), ...env }, stdio: ['ignore', 'pipe', 'pipe'],
      })
      child = started
      for (const stream of [started.stdout, started.stderr]) {
        let rest = ''
        stream.setEncoding('utf8').on('data', (text: string) => {
          const parts = (rest + text).split('\n')
          rest = parts.pop()!
          lines.push(...parts)
        })
      }
      const deadline = performance.now() + READY_MS_MAX
      while (!(await fetch(`${url}/readyz`).then((answer) => answer.ok, () => false))) {
        if (started.exitCode !== null || performance.now() > deadline) throw new Error(`ingest did not become ready (code ${started.exitCode}):\n${lines.slice(-20).join('\n')}`)
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    },
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    spooledRecords: async () => Number(/^millrace_ingest_spooled_records (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())![1]),
    logState: async () => ((await (await fetch(`${url}/readyz`)).json()) as { parts: { log: string } }).parts.log,
    told: () => toldIn(lines),
    output: () => lines.join('\n'),
  }
}

const toldIn = (lines: readonly string[]): Told => {
  const events = new Map<string, number>()
  let [inDoubt, found] = [0, 0]
  for (const line of lines.filter((text) => text.includes('"spool.'))) {
    const { event, message } = JSON.parse(line) as { event: string; message: string }
    events.set(event, (events.get(event) ?? 0) + 1)
    const looked = /^(\d+) records were in doubt, the log had (\d+)/.exec(message)
    if (event !== 'spool.looked' || !looked) continue
    inDoubt += Number(looked[1])
    found += Number(looked[2])
  }
  return { events, inDoubt, found }
}
