import type { Clock } from '@millrace/ports'

/** A clock that stands still until it is moved, and then wakes who waits, in order. */
export interface TestClock extends Clock {
  moveTo(at: number): Promise<void>
}

export const createTestClock = (start: number): TestClock => {
  let now = start
  const waiting = new Map<symbol, { at: number; callback: () => void }>()
  const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    now: () => now,
    after: (ms, callback) => {
      const id = Symbol('wait')
      waiting.set(id, { at: now + Math.max(0, ms), callback })
      if (ms <= 0) setImmediate(() => fire(id))
      return () => void waiting.delete(id)
    },
    moveTo: async (at) => {
      for (;;) {
        const [next] = [...waiting].filter(([, wait]) => wait.at <= at).sort(([, x], [, y]) => x.at - y.at)
        if (!next) break
        now = Math.max(now, next[1].at)
        fire(next[0])
        await breathe()
      }
      now = Math.max(now, at)
      await breathe()
    },
  }
  function fire(id: symbol): void {
    const wait = waiting.get(id)
    waiting.delete(id)
    wait?.callback()
  }
}
