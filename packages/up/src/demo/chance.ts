/** Chance that is the same each time: one seed, one sequence. */
export interface Chance {
  /** In [0, 1). */
  unit(): number
  /** Whole number in [from, to]. */
  int(from: number, to: number): number
  /** True with probability `p`. */
  happens(p: number): boolean
  pick<T>(choices: readonly T[]): T
  /** One of the choices, the more often the greater its weight. */
  weighted<T>(choices: readonly (readonly [choice: T, weight: number])[]): T
  /** How many times something goes on that ends each time with probability `1 / mean`; at most `max`. */
  times(mean: number, max: number): number
  hex(digits: number): string
}

/** Mulberry32: 32 bits of state, enough for a shop. */
export const chanceFrom = (seed: number): Chance => {
  let state = seed >>> 0
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (from: number, to: number): number => from + Math.floor(unit() * (to - from + 1))
  return {
    unit,
    int,
    happens: (p) => unit() < p,
    pick: (choices) => choices[int(0, choices.length - 1)]!,
    weighted: (choices) => weighted(choices, unit()),
    times: (mean, max) => {
      let count = 1
      while (count < max && unit() < 1 - 1 / mean) count++
      return count
    },
    hex: (digits) => Array.from({ length: digits }, () => int(0, 15).toString(16)).join(''),
  }
}

const weighted = <T>(choices: readonly (readonly [choice: T, weight: number])[], at: number): T => {
  let rest = at * choices.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [choice, weight] of choices) {
    rest -= weight
    if (rest < 0) return choice
  }
  return choices.at(-1)![0]
}
