import { createZone } from '@millrace/contracts'
import { eventRow } from '@millrace/warehouse'
import { expect, it } from 'vitest'
import { event, line } from './builders.ts'
import { insertRows, openStore } from './store.ts'

const EVENTS = process.env['MILLRACE_LONG'] === '1' ? 100_000 : 30_000
const FROM = Date.UTC(2000, 0, 1)
const UNTIL = Date.UTC(2026, 0, 1)

it(`takes ${EVENTS} events spread evenly from 2000 to now, in any order`, async () => {
  const store = await openStore()
  const utc = createZone('UTC').day
  const row = (index: number): string =>
    eventRow(event({ messageId: `m${index}`, event: `E${index % 12}`, properties: { city: 'x', n: index }, timestamp: FROM + Math.floor((index / EVENTS) * (UNTIL - FROM)) }),
      line({ number: index % 5000 }), utc)
  const started = performance.now()
  // Each batch spans all years: the hardest order.
  for (let batch = 0; batch < 10; batch++) {
    await insertRows(store, 'events', Array.from({ length: EVENTS / 10 }, (_, n) => row(n * 10 + batch)), `batch-${batch}`)
  }
  const seconds = (performance.now() - started) / 1000
  const parts = await store.query<{ table: string; parts: number }>("SELECT table, count() AS parts FROM system.parts WHERE active AND database = 'millrace_store' AND rows > 0 GROUP BY table ORDER BY table")
  process.stdout.write(`import of 26 years: ${EVENTS} events in ${seconds.toFixed(1)} s, active parts ${JSON.stringify(parts)}\n`)
  expect(await store.query('SELECT count() AS n, uniqExact(message_id) AS ids, uniqExact(toYear(timestamp)) AS years FROM millrace.events')).toEqual([{ n: EVENTS, ids: EVENTS, years: 26 }])
  expect(await store.query("SELECT sum(events) AS n FROM millrace_store.event_day WHERE event = '*'")).toEqual([{ n: EVENTS }])
  await store.close()
})
