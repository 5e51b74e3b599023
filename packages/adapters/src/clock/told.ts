import type { Clock } from '@millrace/ports'
import { createFileClock } from './file.ts'
import { createSystemClock } from './system.ts'

/** Waits up to this are pauses of the machinery (a batch that fills, a retry), not times that a test is about. */
const PAUSE_MS_MAX = 10_000

/**
 * The time that stands in a file, which a test writes: what is recorded and what falls due obeys it, in every process
 * that is given the file. Pauses pass as always, else nothing would move while the file stands still.
 */
export const createToldClock = (path: string): Clock => {
  const told = createFileClock(path)
  const system = createSystemClock()
  return { now: told.now, after: (ms, callback) => (ms <= PAUSE_MS_MAX ? system : told).after(ms, callback) }
}
