import { createFileClock, readTimeFile, writeFileClock } from '@millrace/adapters'
import type { Clock } from '@millrace/ports'

/** A clock that moves only when told, in this process and in every process that is given its path. */
export interface TestClock extends Clock {
  /** For `createFileClock` in a child process. */
  readonly path: string
  advance(ms: number): void
  /** @throws when time would go back */
  set(time: number): void
}

/** Starts at `start`; the file is made by it. */
export const createTestClock = (path: string, start: number): TestClock => {
  writeFileClock(path, start)
  const clock = createFileClock(path)
  const set = (time: number): void => {
    if (time < readTimeFile(path)) throw new Error('a clock does not go back')
    writeFileClock(path, time)
  }
  return { ...clock, path, set, advance: (ms) => set(readTimeFile(path) + ms) }
}
