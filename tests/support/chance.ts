import { seededChance } from '@millrace/testkit'

/** A seeded source of numbers: the same seed, the same run. */
export interface Chance {
  /** In [0, 1). */
  next(): number
  /** Whole, in [0, n). */
  below(n: number): number
  pick<T>(items: readonly T[]): T
}

export const createChance = (seed: number): Chance => {
  const next = seededChance(seed)
  const below = (n: number): number => Math.floor(next() * n)
  return { next, below, pick: (items) => items[below(items.length)]! }
}
