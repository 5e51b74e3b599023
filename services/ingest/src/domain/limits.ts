import type { Clock } from '@millrace/ports'

/** What a key may still send, as it was at a moment (ms). Negative after a batch that was larger than the whole. */
export interface Bucket {
  /** Thousandths of an event: what a millisecond brings is then a whole number, and nothing is rounded. */
  readonly thousandths: number
  readonly at: number
}

/** A batch of the usual size passes whatever the limit is. */
const BURST_MIN = 100

/**
 * Takes `events` out of a bucket (token bucket) that fills with `perSecond`, up to one second's worth; with too few in it nothing is
 * taken, and `waitMs` says when there are enough. A batch larger than a whole bucket passes when it is full and is paid
 * for afterwards, else it could never come in.
 */
export const spend = (before: Bucket | undefined, events: number, perSecond: number, now: number): { readonly bucket: Bucket; readonly waitMs: number } => {
  const whole = Math.max(perSecond, BURST_MIN) * 1000
  // A clock that went back fills nothing.
  const there = before ? Math.min(whole, before.thousandths + Math.max(0, now - before.at) * perSecond) : whole
  const missing = Math.min(events * 1000, whole) - there
  return missing > 0
    ? { bucket: { thousandths: there, at: now }, waitMs: Math.ceil(missing / perSecond) }
    : { bucket: { thousandths: there - events * 1000, at: now }, waitMs: 0 }
}

export interface Limits {
  /** 0 when the events may come in, else the milliseconds to wait; nothing is taken then. */
  waitMs(key: string, events: number, perSecond: number): number
}

/** The buckets of this copy, one a key. Over the bound the one that was used longest ago begins anew. */
export const createLimits = (clock: Clock, bucketsMax = 10_000): Limits => {
  const buckets = new Map<string, Bucket>()
  return {
    waitMs: (key, events, perSecond) => {
      const { bucket, waitMs } = spend(buckets.get(key), events, perSecond, clock.now())
      // Set anew, it stands last: the first is the one that was used longest ago.
      buckets.delete(key)
      const [oldest] = buckets.keys()
      if (buckets.size >= bucketsMax && oldest !== undefined) buckets.delete(oldest)
      buckets.set(key, bucket)
      return waitMs
    },
  }
}
