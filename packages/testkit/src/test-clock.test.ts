import { clockSuite, eventually } from '@millrace/ports/suites'
import { expect, it } from 'vitest'
import { createTempFolder } from './temp-folder.ts'
import { createTestClock } from './test-clock.ts'

clockSuite('test clock', async () => {
  const folder = await createTempFolder('clock')
  const clock = createTestClock(folder.at('time'), 1_700_000_000_000)
  return {
    clock,
    pass: async (ms) => {
      clock.advance(ms)
      await new Promise((resolve) => setTimeout(resolve, 30))
    },
    dispose: folder.remove,
  }
})

it('moves when told, at once where it is told, and never back', async () => {
  const folder = await createTempFolder('clock')
  const clock = createTestClock(folder.at('time'), 1_000)
  clock.set(5_000)
  clock.advance(500)
  await eventually(() => clock.now() === 5_500)
  expect(() => clock.set(5_499)).toThrow('does not go back')
  await folder.remove()
})
