/** Chance that a seed names: the same seed gives the same sequence, in the demo, in simulations and in tests. */
export interface Chance {
  /** In [0, 1). */
  next(): number
  /** Whole, in [0, bound). */
  below(bound: number): number
  /** True with that probability. */
  happens(probability: number): boolean
  pick<Item>(items: readonly Item[]): Item
}

/** Mulberry32: 32 bits of state, one number of the sequence for each call. No secret: ids come from the port of ids. */
export const chanceFrom = (seed: number): Chance => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return { next, below, happens: (probability) => next() < probability, pick: (items) => items[below(items.length)]! }
}
