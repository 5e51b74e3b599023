import type { Copy } from './plan.ts'
import type { ServiceName } from './routes.ts'
import { supervise, type Supervised, type Supervisor } from './supervise.ts'

/** The running copies of all services. */
export interface Copies {
  /** The copy whose turn it is, of those that are ready; null when none is. */
  next(service: ServiceName): Copy | null
  /** Resolves when every copy has been ready once. @throws when one keeps ending or is not ready in time */
  ready(msMax: number): Promise<void>
  /** Each copy's own word, for the front door's `/readyz`. */
  health(): Promise<{ readonly ready: boolean; readonly parts: Readonly<Record<string, string>> }>
  /** False when one did not stop within its bound. */
  stop(): Promise<boolean>
}

const LOOK_MS = 50
const ENDS_MAX = 3

/** Starts all copies; one that ends is started again, and gets requests when it says that it is ready. */
export const startCopies = (copies: readonly Copy[], supervisor: Supervisor): Copies => {
  const ready = new Set<Copy>()
  const seen = new Set<Copy>()
  const ends = new Map<string, number>()
  const turns = new Map<ServiceName, number>()
  const state = { stopping: false }

  const copyOf = (name: string): Copy => copies.find(({ plan }) => plan.name === name)!
  const watch = async (copy: Copy, pid: number): Promise<void> => {
    while (!state.stopping && running.get(copy)?.pid() === pid) {
      if (await isReady(copy)) {
        ready.add(copy)
        seen.add(copy)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
  const running = new Map<Copy, Supervised>()
  for (const copy of copies) {
    running.set(copy, supervise(copy.plan, {
      ...supervisor,
      onStarted: (name, pid) => {
        supervisor.onStarted(name, pid)
        // Behind this turn: the map has it then.
        setImmediate(() => void watch(copyOf(name), pid))
      },
      onEnded: (name, ended) => {
        ready.delete(copyOf(name))
        ends.set(name, (ends.get(name) ?? 0) + 1)
        supervisor.onEnded(name, ended)
      },
    }))
  }
  return {
    next: (service) => {
      const able = copies.filter((copy) => copy.service === service && ready.has(copy))
      const turn = turns.get(service) ?? 0
      turns.set(service, turn + 1)
      return able[turn % able.length] ?? null
    },
    ready: async (msMax) => {
      const deadline = performance.now() + msMax
      while (seen.size < copies.length) {
        const failing = [...ends].find(([, count]) => count >= ENDS_MAX)
        if (failing) throw new Error(`${failing[0]} ended ${failing[1]} times while it started; its words are in the log`)
        if (performance.now() > deadline) throw new Error(`not ready in ${msMax} ms: ${copies.filter((copy) => !seen.has(copy)).map(({ plan }) => plan.name).join(', ')}`)
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      }
    },
    health: async () => {
      const words = await Promise.all(copies.map(async (copy) => [copy.plan.name, (await isReady(copy)) ? 'ok' : 'not ready'] as const))
      return { ready: words.every(([, word]) => word === 'ok'), parts: Object.fromEntries(words) }
    },
    stop: async () => {
      state.stopping = true
      let clean = true
      // The mirror of the start: who writes ends before who reads; copies of one service at once.
      for (const service of [...new Set(copies.map((copy) => copy.service))].reverse()) {
        const stopped = await Promise.all(copies.filter((copy) => copy.service === service).map((copy) => running.get(copy)!.stop()))
        clean &&= stopped.every(Boolean)
      }
      return clean
    },
  }
}

/** A process that hangs takes the connection and says nothing; a service itself answers within two seconds. */
const ANSWER_MS_MAX = 5_000

const isReady = ({ port }: Copy): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) }).then((answer) => answer.ok, () => false)
