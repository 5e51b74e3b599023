import type { Clock, Ids } from '@millrace/ports'

/** A clock that stands until it is told to go. */
export const createFixedClock = (start = 1_700_000_000_000): Clock & { forward(ms: number): void } => {
  let now = start
  let waiting: { at: number; callback: () => void }[] = []
  return {
    now: () => now,
    after: (ms, callback) => {
      const entry = { at: now + ms, callback }
      waiting.push(entry)
      return () => void (waiting = waiting.filter((other) => other !== entry))
    },
    forward: (ms) => {
      now += ms
      const due = waiting.filter(({ at }) => at <= now)
      waiting = waiting.filter(({ at }) => at > now)
      for (const { callback } of due) callback()
    },
  }
}

/** Ids that count up. */
export const createCountingIds = (): Ids => {
  let next = 0
  const hex = (length: number) => (++next).toString(16).padStart(length, '0')
  return { uuid: () => `00000000-0000-4000-8000-${hex(12)}`, secret: (bytes) => hex(bytes * 2) }
}
