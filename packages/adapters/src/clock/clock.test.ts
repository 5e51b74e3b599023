import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clockSuite, idsSuite } from '@millrace/ports/suites'
import { expect, it } from 'vitest'
import { createSeededIds } from '../ids/seeded.ts'
import { createSystemIds } from '../ids/system.ts'
import { createFileClock, writeFileClock } from './file.ts'
import { createSystemClock } from './system.ts'

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

clockSuite('system', async () => ({ clock: createSystemClock(), pass: sleep, dispose: async () => {} }))

clockSuite('file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-clock-'))
  const file = join(dir, 'time')
  let time = 1_700_000_000_000
  writeFileClock(file, time)
  return {
    clock: createFileClock(file),
    pass: async (ms) => {
      writeFileClock(file, (time += ms))
      await sleep(30)
    },
    dispose: () => rm(dir, { recursive: true }),
  }
})

it('stands still until the file is written', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-clock-'))
  writeFileClock(join(dir, 'time'), 5_000)
  const clock = createFileClock(join(dir, 'time'))
  await sleep(50)
  expect(clock.now()).toBe(5_000)
  await rm(dir, { recursive: true })
})

idsSuite('system', createSystemIds)
idsSuite('seeded', () => createSeededIds('seed'))

it('makes the same ids for the same seed only', () => {
  const three = (seed: string): string[] => {
    const ids = createSeededIds(seed)
    return [ids.uuid(), ids.secret(40), ids.uuid()]
  }
  expect(three('a')).toEqual(three('a'))
  expect(three('a')).not.toEqual(three('b'))
})
