import { join } from 'node:path'
import { createChdbStore } from '@millrace/adapters'
import { describe, expect, it } from 'vitest'
import { settledLedger } from '../support/ledger.ts'
import { millraceForAll } from '../support/running.ts'

const COUNT = process.env['MILLRACE_LONG'] === '1' ? 100_000 : 5_000
const BATCH = 500
const FIRST = Date.UTC(2000, 0, 1)
/** What people of one group have in common: the same step through time in any order of sending. */
const STRIDE = 7919

describe('events spread evenly from the year 2000 to now', () => {
  const running = millraceForAll()

  it(`takes ${COUNT.toLocaleString('en')} of them, out of order, and answers for each year`, async () => {
    const { millrace } = running
    const now = Date.now()
    const timeOf = (index: number): number => FIRST + Math.floor((((index * STRIDE) % COUNT) * (now - FIRST)) / COUNT)
    const startedAt = performance.now()
    for (let from = 0; from < COUNT; from += BATCH) {
      const answer = await millrace.send(Array.from({ length: BATCH }, (_, index) => eventAt(from + index, timeOf(from + index))))
      expect(answer.status).toBe(200)
    }
    const sent = performance.now()
    expect(await settledLedger(millrace, COUNT, 240_000)).toMatchObject({ received: COUNT, stored: COUNT, rejected: 0, duplicate: 0 })
    const settled = performance.now()

    const perYear = new Map<number, number>()
    for (let index = 0; index < COUNT; index++) {
      const year = new Date(timeOf(index)).getUTCFullYear()
      perYear.set(year, (perYear.get(year) ?? 0) + 1)
    }
    const rows = await millrace.sql<{ year: number; n: number }>('SELECT toYear(timestamp) AS year, count() AS n FROM events GROUP BY year ORDER BY year')
    expect(new Map(rows.map(({ year, n }) => [year, Number(n)]))).toEqual(perYear)

    expect(await millrace.stop()).toBe(0)
    console.log(
      `old events: ${COUNT.toLocaleString('en')} from 2000 to now sent in ${seconds(sent - startedAt)} s, all in after ${seconds(settled - startedAt)} s; active parts after the stop: ${await partsOf(millrace.dataDir)}`,
    )
  })
})

const eventAt = (index: number, time: number): object => ({
  type: 'track', messageId: `old-${index}`, userId: `u${index % 1000}`, event: 'Order Completed', timestamp: new Date(time).toISOString(),
  properties: { order_id: `o-${index}`, revenue: 1, currency: 'USD' },
})

const seconds = (ms: number): string => (ms / 1000).toFixed(1)

/** Opens the stopped folder's warehouse: nobody else holds it now. */
const partsOf = async (dataDir: string): Promise<string> => {
  const columns = createChdbStore({ path: join(dataDir, 'warehouse'), clients: 1 })
  try {
    const rows = await columns.query<{ table: string; parts: number | string }>(
      "SELECT table, count() AS parts FROM system.parts WHERE active AND database = 'millrace_store' AND table IN ('events', 'event_day') GROUP BY table ORDER BY table DESC")
    return rows.map(({ table, parts }) => `${table} ${parts}`).join(', ')
  } finally {
    await columns.close()
  }
}
