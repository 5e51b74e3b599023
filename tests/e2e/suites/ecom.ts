import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settledLedger } from '../../support/ledger.ts'
import type { Millrace } from '../../support/millrace.ts'
import { runProgram } from '../../support/program.ts'
import { skipped } from '../../support/requirements.ts'
import { millraceForAll, type Start } from '../../support/running.ts'

interface Expected {
  readonly days: readonly { day: string; dau: number; new: number; wau: number; mau: number }[]
  readonly retention: {
    readonly cohorts: readonly { cohort: string; size: number; retained: readonly number[] }[]
    readonly total: readonly { n: number; users: number; retained: number }[]
  }
  readonly funnels: readonly { steps: readonly string[]; window_s: number; users: readonly number[] }[]
}
interface Trends {
  readonly series: readonly { readonly points: readonly { readonly at: string; readonly value: number }[] }[]
}
interface Retention {
  readonly cohorts: readonly { readonly at: string; readonly size: number; readonly returned: readonly number[] }[]
  readonly total: readonly { readonly n: number; readonly size: number; readonly returned: number }[]
}
interface Funnel {
  readonly steps: readonly { readonly event: string; readonly people: number }[]
}

const folder = process.env['MILLRACE_DATASETS'] ?? ''
const csv = join(folder, 'ecom_events.csv.gz')
const available = folder !== '' && existsSync(csv)
const skip = skipped(['datasets'], 'the known answers of ecom_events.csv.gz', available ? null : 'it is not in the folder MILLRACE_DATASETS')

const EVENTS = 31_106
const MAPPING = 'event=event,userId=user_id,timestamp=timestamp,context.sessionId=session_id,-=event_id,channel=platform'
const span = { from: '2024-01-04', to: '2024-06-29' }

/** Known answers, on whatever `start` gives: an instance, or a project, without events. */
export const ecom = (start?: Start): unknown => describe.skipIf(skip)('a shop of 31,106 events, imported from a file', () => {
  const running = millraceForAll(start)
  let millrace: Millrace
  let expected: Expected
  const work = mkdtempSync(join(tmpdir(), 'millrace-ecom-'))

  const importOnce = async (): Promise<void> => {
    const { code, text } = await runProgram('import/main.js', [csv, '--map', MAPPING, '--refused', join(work, 'refused')], { MILLRACE_URL: millrace.url, MILLRACE_WRITE_KEY: millrace.writeKey })
    console.log(`ecom: ${text.split('\n').find((line) => line.startsWith('Sent'))}`)
    expect(text).toContain('Sent 31,106 events')
    expect(code).toBe(0)
  }

  beforeAll(async () => {
    expected = JSON.parse(readFileSync(join(folder, 'expected', 'ecom.json'), 'utf8')) as Expected
    millrace = running.millrace
    await importOnce()
    expect(await settledLedger(millrace, EVENTS)).toMatchObject({ received: EVENTS, stored: EVENTS, rejected: 0, duplicate: 0 })
  })
  afterAll(() => rmSync(work, { recursive: true, force: true }))

  const trends = async (more: object): Promise<readonly { at: string; value: number }[]> =>
    (await millrace.api<Trends>('/api/metrics/trends', { events: [{ event: '*' }], measure: 'people', interval: 'day', ...span, ...more })).series[0]!.points

  const checkAll = async (): Promise<number> => {
    const [dau, wau, mau, fresh] = [await trends({}), await trends({ rollingDays: 7 }), await trends({ rollingDays: 30 }), await trends({ measure: 'new-people' })]
    const days = dau.map(({ at, value }, index) => ({ day: at, dau: value, new: fresh[index]!.value, wau: wau[index]!.value, mau: mau[index]!.value }))
    expect(days).toEqual(expected.days)

    const retention = await millrace.api<Retention>('/api/metrics/retention', { start: { event: '*' }, return: { event: '*' }, kind: 'first-time', interval: 'day', periods: 14, ...span })
    expect(retention.cohorts.map(({ at, size, returned }) => ({ cohort: at, size, retained: returned }))).toEqual(expected.retention.cohorts)
    expect(retention.total.map(({ n, returned }) => [n, returned])).toEqual(expected.retention.total.map(({ n, retained }) => [n, retained]))

    for (const { steps, window_s, users } of expected.funnels) {
      const funnel = await millrace.api<Funnel>('/api/metrics/funnel', { steps: steps.map((event) => ({ event })), window: `${window_s}s`, order: 'ordered', ...span })
      expect(funnel.steps).toEqual(steps.map((event, index) => ({ event, people: users[index] })))
    }
    return days.length * 4 + expected.retention.cohorts.length * 15 + expected.retention.total.length + expected.funnels.length * 3
  }

  it('gives the known days, retention and funnels exactly', async () => {
    const figures = await checkAll()
    console.log(`ecom: ${figures} figures equal the known ones`)
    expect(figures).toBeGreaterThan(2_000)
  })

  it('gives the same after a second import, which the ledger shows as duplicates', async () => {
    await importOnce()
    expect(await settledLedger(millrace, 2 * EVENTS)).toMatchObject({ received: 2 * EVENTS, stored: EVENTS, rejected: 0, duplicate: EVENTS })
    await checkAll()
    const [row] = await millrace.sql<{ n: number; people: number }>('SELECT count() AS n, uniqExact(person_id) AS people FROM events')
    expect(row).toEqual({ n: EVENTS, people: 600 })
  })
})
