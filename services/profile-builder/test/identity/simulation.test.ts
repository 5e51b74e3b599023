import { describe, expect, it } from 'vitest'
import { simulateMany } from './simulation/simulate.ts'

/** More seeds: MILLRACE_SEEDS=10000 (and MILLRACE_SEED_FROM=1) in the environment. */
const seeds = Number(process.env['MILLRACE_SEEDS'] ?? 120)
const from = Number(process.env['MILLRACE_SEED_FROM'] ?? 1)

describe('resolve, identity and the person side under random histories and faults', () => {
  it('end as a naive reference says, whatever crashed on the way (R1–R17)', { timeout: 3_600_000 }, async () => {
    const { totals, failed } = await simulateMany(from, seeds)
    process.stdout.write(`${JSON.stringify(totals)}\n`)
    expect(failed.map((run) => ({ seed: run.seed, faults: run.faults.slice(0, 3) }))).toEqual([])
    expect(totals.moves).toBeGreaterThan(seeds)
  })
})
