import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface ProcessPlan {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Supervisor {
  /** Each line that the process prints. */
  onLine(name: string, line: string): void
  onStarted(name: string, pid: number): void
  /** It has ended, and comes again after the pause; null: it was stopped. */
  onEnded(name: string, ended: Ended): void
}

interface Ended {
  readonly pid: number | undefined
  /** Its exit code, its signal, or why it could not be started. */
  readonly how: string
  readonly backOffMs: number | null
}

export interface Supervised {
  readonly name: string
  readonly pid: () => number | null
  /** SIGTERM, then SIGKILL behind the bound; false when that was needed. It does not come again. */
  stop(): Promise<boolean>
}

const BACK_OFF_MS = 250
const BACK_OFF_MS_MAX = 10_000
/** Who ran so long begins again with the shortest pause. */
const STEADY_MS = 30_000
const STOP_MS_MAX = 25_000

/** Keeps one process running: one that ends is started again, after a pause that grows while it keeps ending. */
export const supervise = (plan: ProcessPlan, supervisor: Supervisor): Supervised => {
  let child: ChildProcess | null = null
  let ended: Promise<void> = Promise.resolve()
  let backOffMs = BACK_OFF_MS
  let again: NodeJS.Timeout | undefined
  let stopping = false

  const start = (): void => {
    const startedAt = performance.now()
    // A session of its own: Ctrl-C reaches the launcher alone, which stops all in order.
    const started = spawn(plan.command, plan.args, { env: plan.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    child = started
    for (const stream of [started.stdout, started.stderr]) createInterface({ input: stream }).on('line', (line) => supervisor.onLine(plan.name, line))
    if (started.pid !== undefined) supervisor.onStarted(plan.name, started.pid)
    ended = new Promise((resolve) => {
      const end = (how: string): void => {
        if (child !== started) return
        child = null
        resolve()
        if (stopping) return supervisor.onEnded(plan.name, { pid: started.pid, how, backOffMs: null })
        if (performance.now() - startedAt > STEADY_MS) backOffMs = BACK_OFF_MS
        supervisor.onEnded(plan.name, { pid: started.pid, how, backOffMs })
        again = setTimeout(start, backOffMs)
        backOffMs = Math.min(backOffMs * 2, BACK_OFF_MS_MAX)
      }
      started.once('error', (error) => end(error.message))
      started.once('exit', (code, signal) => end(signal ?? `code ${code}`))
    })
  }
  start()
  return {
    name: plan.name,
    pid: () => child?.pid ?? null,
    stop: async () => {
      stopping = true
      clearTimeout(again)
      let clean = true
      const late = setTimeout(() => {
        clean = false
        child?.kill('SIGKILL')
      }, STOP_MS_MAX)
      child?.kill('SIGTERM')
      await ended
      clearTimeout(late)
      return clean
    },
  }
}
