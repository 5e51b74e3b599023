import { createLogger } from '@millrace/service-kit'
import { expect, it } from 'vitest'
import { type BackfillDeps, createBackfillJob } from '../src/jobs/backfill.ts'

it('looks again for a rule that comes at any moment while a look ends', async () => {
  for (let moment = 0; moment < 30; moment++) {
    let looks = 0
    const hot = { scan: async () => (looks++, []), get: async () => [] }
    const job = createBackfillJob({ hot, logger: createLogger('silent') } as unknown as BackfillDeps)
    job.kick()
    for (let turn = 0; turn < moment; turn++) await Promise.resolve()
    const before = looks
    job.kick()
    await new Promise((resolve) => setImmediate(resolve))
    expect([moment, looks > before]).toEqual([moment, true])
    await job.stop()
  }
})
