/** Lets the batches of one process come one after the other, each in a turn of the event loop of its own. */
export interface Turns {
  /** Resolves when it is the caller's turn. Requests and answers of the network are served between two turns. */
  next(): Promise<void>
}

/**
 * One commit wakes many partitions at once. What they need is mostly in memory, so without turns they would all work
 * before the event loop sees the network again: with four consumers on four partitions that was seconds.
 */
export const createTurns = (): Turns => {
  const waiting: (() => void)[] = []
  const turn = (): void => {
    waiting.shift()!()
    if (waiting.length > 0) setImmediate(turn)
  }
  return {
    next: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        if (waiting.length === 1) setImmediate(turn)
      }),
  }
}
