import { chanceFrom, type Chance } from '@millrace/contracts'

/** Chance with what a shop's day needs besides. */
export interface ShopChance extends Chance {
  /** Whole number in [from, to]. */
  int(from: number, to: number): number
  /** One of the choices, the more often the greater its weight. */
  weighted<T>(choices: readonly (readonly [choice: T, weight: number])[]): T
  /** How many times something goes on that ends each time with probability `1 / mean`; at most `max`. */
  times(mean: number, max: number): number
  hex(digits: number): string
}

export const shopChance = (seed: number): ShopChance => {
  const chance = chanceFrom(seed)
  const int = (from: number, to: number): number => from + chance.below(to - from + 1)
  return {
    ...chance,
    int,
    weighted: (choices) => weighted(choices, chance.next()),
    times: (mean, max) => {
      let count = 1
      while (count < max && chance.next() < 1 - 1 / mean) count++
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
