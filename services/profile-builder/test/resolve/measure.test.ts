import { describe, expect, it } from 'vitest'
import { measureResolve } from './measure.ts'

/** 100,000 people: MILLRACE_USERS=100000 in the environment. */
const users = Number(process.env['MILLRACE_USERS'] ?? 500)

describe('the cost of resolve and identity', () => {
  it('of a link does not grow with the people that are known (R8)', async () => {
    const measured = await measureResolve(users, 10)
    process.stdout.write(`${JSON.stringify(measured)}\n`)
    expect(measured.facts).toBe(users * 4)
    expect(measured.microsPerLink).toBeLessThan(1000)
  })
})
