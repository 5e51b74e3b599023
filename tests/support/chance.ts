/** A seeded source of numbers (mulberry32, Tommy Ettinger 2017, public domain): the same seed, the same run. */
export interface Chance {
  /** In [0, 1). */
  next(): number
  /** Whole, in [0, n). */
  below(n: number): number
  pick<T>(items: readonly T[]): T
}

export const createChance = (seed: number): Chance => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (n: number): number => Math.floor(next() * n)
  return { next, below, pick: (items) => items[below(items.length)]! }
}
