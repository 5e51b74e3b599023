import { expect, it } from 'vitest'
import { measureResolve } from './measure.ts'

it('reads no more for a link when ten times as many people are known (R8)', async () => {
  const [few, many] = [await measureResolve(100, 10), await measureResolve(1_000, 10)]
  process.stdout.write(`a link reads ${few.readsPerLink} documents at ${few.known} people, ${many.readsPerLink} at ${many.known}\n`)
  expect([few.facts, many.facts]).toEqual([400, 4_000])
  expect(few.readsPerLink).toBeGreaterThan(0)
  expect(many.readsPerLink).toBe(few.readsPerLink)
})
