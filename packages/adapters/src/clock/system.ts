import type { Clock } from '@millrace/ports'

// setTimeout takes at most 2^31 - 1 ms and fires at once beyond it.
const TIMEOUT_MS_MAX = 2 ** 31 - 1

/** The machine's clock: the one place that reads it. */
export const createSystemClock = (): Clock => ({
  now: () => Date.now(),
  after: (ms, callback) => {
    let timer: NodeJS.Timeout
    const wait = (left: number): void => {
      timer = setTimeout(() => (left > TIMEOUT_MS_MAX ? wait(left - TIMEOUT_MS_MAX) : callback()), Math.min(left, TIMEOUT_MS_MAX))
    }
    wait(Math.max(0, ms))
    return () => clearTimeout(timer)
  },
})
