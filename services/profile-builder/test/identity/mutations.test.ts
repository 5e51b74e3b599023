import { describe, expect, it } from 'vitest'
import { mutations } from './simulation/mutations.ts'
import type { Mutation } from './simulation/simulate.ts'
import { simulate } from './simulation/simulate.ts'

const SEEDS_MAX = 400

/** The first seed that finds the fault; null when none does. */
const foundAt = async (mutation: Mutation): Promise<{ seed: number; how: string } | null> => {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    try {
      const { faults } = await simulate({ seed, mutation })
      if (faults.length > 0) return { seed, how: faults[0]!.slice(0, 80) }
    } catch (error) {
      return { seed, how: String(error).slice(0, 80) }
    }
  }
  return null
}

describe('the simulation fails when a rule is taken out', () => {
  for (const [name, mutation] of Object.entries(mutations)) {
    it(`finds: ${name}`, async () => {
      const found = await foundAt(mutation)
      process.stdout.write(`${name}: ${found ? `seed ${found.seed}, ${found.how}` : 'NOT FOUND'}\n`)
      expect(found).not.toBeNull()
    })
  }
})
