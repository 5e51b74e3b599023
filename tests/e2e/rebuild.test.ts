import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore } from '@millrace/adapters'
import { afterAll, expect, it } from 'vitest'
import { startMillrace, type Millrace } from '../support/millrace.ts'
import { settledLedger } from '../support/ledger.ts'
import { runProgram, type Ran } from '../support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-rebuild-'))
let millrace: Millrace | undefined
afterAll(async () => {
  await millrace?.kill()
  rmSync(folder, { recursive: true, force: true })
})

const ops = (...args: readonly string[]): Promise<Ran> => runProgram('ops/main.js', args, { UV_THREADPOOL_SIZE: '16' })

interface Count {
  readonly events: number
  readonly raw: number
}

/** What the aggregates of a stopped folder say of March, and what its rows say. */
const inStopped = async (change: string | null): Promise<Count> => {
  const columns = createChdbStore({ path: join(folder, 'warehouse'), clients: 1 })
  try {
    if (change !== null) await columns.command(change)
    const [row] = await columns.query<Count>(`SELECT toUInt32(sum(events)) AS events, (SELECT toUInt32(count()) FROM millrace_store.events WHERE toYYYYMM(day) = 202603) AS raw
      FROM millrace_store.event_day WHERE toYYYYMM(day) = 202603 AND event = '*'`)
    return row!
  } finally {
    await columns.close()
  }
}

it('rebuilds a month of a killed folder: what it had not handled counts once, what was broken is whole, and it goes on', async () => {
  millrace = await startMillrace({ dataDir: folder })
  const events = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ type: 'track', event: 'Viewed', messageId: `m-${from + index}`, userId: `u-${index % 7}`, timestamp: `2026-03-${10 + (index % 20)}T10:00:00Z` }))
  await millrace.send(events(0, 50))
  await settledLedger(millrace, 50)
  expect(await ops('rebuild', '--month', '2026-03', '--data-dir', folder)).toMatchObject({ code: 1, text: expect.stringContaining('is in use by another Millrace') })
  await millrace.send(events(50, 90))
  await millrace.kill()

  const before = await inStopped("ALTER TABLE millrace_store.event_day DELETE WHERE day < '2026-03-20' SETTINGS mutations_sync = 2")
  expect(before.events).toBeLessThan(before.raw)
  const rebuilt = await ops('rebuild', '--month', '2026-03', '--data-dir', folder)
  expect(rebuilt).toMatchObject({ code: 0, text: expect.stringMatching(/Rebuilt 2026-03 of 1 project: [1-9]\d* rows differed from the raw events, now 0\./) })
  expect(await inStopped(null)).toEqual({ events: 140, raw: 140 })

  millrace = await startMillrace({ dataDir: folder })
  await millrace.send(events(140, 10))
  await settledLedger(millrace, 150)
  expect(await millrace.stop()).toBe(0)
  expect(await inStopped(null)).toEqual({ events: 150, raw: 150 })
})
