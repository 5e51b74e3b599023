import { createSystemClock } from '@millrace/adapters'
import type { Clock } from '@millrace/ports'

/** Waits up to this are pauses of the machinery (a batch that fills, a retry), and pass as always. */
const PAUSE_MS_MAX = 10_000

/**
 * Stands before every time that a log can hold: no timer is ever due, so nothing is added that was not recorded,
 * and what is folded cannot depend on when it is folded.
 */
export const standingClock = (): Clock => {
  const system = createSystemClock()
  return { now: () => 0, after: (ms, callback) => (ms <= PAUSE_MS_MAX ? system.after(ms, callback) : () => {}) }
}
