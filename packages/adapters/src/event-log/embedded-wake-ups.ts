import { partitionOf } from '../lmdb/keys.ts'
import type { LmdbRoot } from '../lmdb/open.ts'

/** Tells who waits on a partition that something new was committed in it. */
export interface WakeUps {
  /** Resolves at the next commit in the partition, at `wake`, or after `ms`. */
  wait(topic: string, partition: number, ms: number): Promise<void>
  /** Wakes everybody who waits on the partition. */
  wake(topic: string, partition: number): void
  stop(): void
}

export const createWakeUps = (root: LmdbRoot): WakeUps => {
  const waiting = new Map<string, Set<() => void>>()
  const wake = (topic: string, partition: number): void => {
    for (const resolve of (waiting.get(`${topic} ${partition}`) ?? [])) resolve()
  }
  const stop = root.onCommitted((writes) => {
    for (const { key } of writes.touched('extents')) {
      const { name, partition } = partitionOf(key)
      wake(name, partition)
    }
  })
  return {
    wait: (topic, partition, ms) =>
      new Promise((resolve) => {
        const place = `${topic} ${partition}`
        const own = waiting.get(place) ?? new Set()
        waiting.set(place, own)
        const done = (): void => {
          clearTimeout(timer)
          own.delete(done)
          resolve()
        }
        const timer = setTimeout(done, ms)
        own.add(done)
      }),
    wake,
    stop: () => {
      stop()
      for (const own of waiting.values()) for (const resolve of own) resolve()
    },
  }
}
