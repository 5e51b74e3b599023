import type { Clock } from '@millrace/ports'

/** Waits that can be cut short. */
export interface Pauses {
  pause(ms: number): Promise<void>
  /** Ends those under way. */
  endAll(): void
}

export const createPauses = (clock: Clock): Pauses => {
  const waiting = new Set<() => void>()
  return {
    pause: (ms) =>
      new Promise((resolve) => {
        const end = (): void => {
          cancel()
          waiting.delete(end)
          resolve()
        }
        const cancel = clock.after(ms, end)
        waiting.add(end)
      }),
    endAll: () => waiting.forEach((end) => end()),
  }
}
