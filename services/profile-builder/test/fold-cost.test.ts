import { expect, it } from 'vitest'
import { measureFold } from './fold-measure.ts'

it('folds an event in microseconds', async () => {
  const measured = await measureFold(30_000)
  process.stdout.write(`fold: ${JSON.stringify(measured)}\n`)
  expect(measured.microsPerEvent).toBeLessThan(200)
})
