import type { Millis } from '@millrace/contracts'
import type { Timer } from '@millrace/ports'
import type { OwnScope } from '@millrace/service-kit'
import { before, createDueQueue } from './due.ts'

/** The timers that a batch may fire: those stored before it, and those that it sets. In the order (due, person). */
export interface StoredTimers {
  /** A timer that the batch set. */
  add(at: Millis, person: string): void
  /** The next one at or before `clock`, or null. */
  take(clock: Millis): Promise<{ readonly at: Millis; readonly person: string } | null>
  /** The next page of what is stored. */
  read(): Promise<void>
}

const PAGE = 1_000

/** Read in pages as they are needed: after a long stop all of a rule's members may be due at once. */
export const createStoredTimers = (
  scope: Pick<OwnScope, 'timersDue'>, horizon: Millis, load: (people: readonly string[]) => Promise<void>,
): StoredTimers => {
  const queue = createDueQueue()
  let count = 0
  let last: Timer | undefined
  let isWhole = false

  const read = async (): Promise<void> => {
    // The store has no "behind this one"; asking for twice as many each time reads each of them about twice.
    const limit = Math.max(PAGE, 2 * count)
    const found = await scope.timersDue(horizon, limit)
    const news = found.slice(count)
    for (const { at, id } of news) queue.add(at, id)
    await load(news.map(({ id }) => id))
    count = found.length
    last = found.at(-1)
    isWhole = found.length < limit
  }
  /** What is not read yet lies behind the last that was. */
  const isNextKnown = (): boolean => {
    const first = queue.first()
    return isWhole || (first !== null && last !== undefined && !before({ at: last.at, person: last.id }, first))
  }
  return {
    add: queue.add,
    read,
    take: async (clock) => {
      while (!isNextKnown()) await read()
      return queue.take(clock)
    },
  }
}
