import { createZone } from '@millrace/contracts'
import type { ColumnStore } from '@millrace/ports'
import { eventRow, rebuildEventDay } from '@millrace/warehouse'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { event, line } from './builders.ts'
import { insertRows, openStore } from './store.ts'

const KEYS = 'project, event, day, nobody, currency'
const ALL = `SELECT ${KEYS}, sum(events) AS n, groupBitmapMerge(numbers) AS people, sum(revenue) AS money FROM millrace_store.event_day GROUP BY ${KEYS} ORDER BY ${KEYS}`
/** Said once more, by hand and from the raw rows. */
const RAW = `SELECT ${KEYS}, count() AS n, uniqExact(number) AS people, sum(toDecimal128(ifNull(revenue, 0), 4)) AS money FROM
  (SELECT project, toString(event) AS event, day, nobody, currency, number, revenue FROM millrace_store.events
   UNION ALL SELECT project, '*', day, nobody, currency, number, revenue FROM millrace_store.events WHERE type IN ('track', 'page', 'screen'))
  GROUP BY ${KEYS} ORDER BY ${KEYS}`
const MARCH = { year: 2024, month: 3 }

describe('a month of the daily aggregates that is built again', () => {
  let store: ColumnStore
  beforeAll(async () => {
    store = await openStore()
    // Equal blocks of one row each among them: none may be taken for a repeat of the other.
    for (const [index, at] of ['2024-02-29', '2024-03-01', '2024-03-01', '2024-03-31', '2024-04-01', '2023-03-05'].entries()) {
      for (const project of [1, 2]) {
        const rows = ['Order Completed', 'Viewed'].map((name, number) => {
          const fields = { project, event: name, messageId: `${index}-${name}`, timestamp: Date.parse(`${at}T10:00:00Z`), revenue: number === 0 ? '10.5000' : null }
          return eventRow(event(fields), line({ number: 64 + number, place: [0, index, number] }), createZone('UTC').day)
        })
        await insertRows(store, 'events', rows, `${index}-${project}`)
      }
    }
  })
  afterAll(() => store.close())

  it('is what the raw events say, whatever was broken in it: rows gone, counted twice, too many people, money', async () => {
    expect(await store.query(ALL)).toEqual(await store.query(RAW))
    expect(await rebuildEventDay(store, MARCH)).toEqual({ partitions: 2, differed: 0, differ: 0 })
    expect(await store.query(ALL)).toEqual(await store.query(RAW))

    await store.command("ALTER TABLE millrace_store.event_day DELETE WHERE project = 1 AND event = 'Viewed' AND day = '2024-03-31' SETTINGS mutations_sync = 2")
    await store.command("INSERT INTO millrace_store.event_day SELECT * FROM millrace_store.event_day WHERE project = 2 AND event = '*' AND day = '2024-03-01' SETTINGS insert_deduplicate = 0")
    const wrong = (numbers: string, events: number, revenue: string): string =>
      `INSERT INTO millrace_store.event_day SELECT 1, 'Order Completed', toDate('2024-03-01'), false, 'USD', ${numbers}, ${events}, toDecimal128('${revenue}', 4)`
    await store.command(wrong('groupBitmapState(toUInt32(9))', 0, '0'))
    await store.command(wrong('groupBitmapState(toUInt32(64))', 0, '0.0001'))
    await store.command("INSERT INTO millrace_store.event_day SELECT 1, 'never', toDate('2024-03-09'), false, 'USD', groupBitmapState(toUInt32(64)), 1, toDecimal128('0', 4)")
    expect(await store.query(ALL)).not.toEqual(await store.query(RAW))
    expect(await rebuildEventDay(store, MARCH)).toEqual({ partitions: 2, differed: 4, differ: 0 })
    expect(await store.query(ALL)).toEqual(await store.query(RAW))
  })

  it('leaves every other month as it is, a broken one too, and goes on where a crash left its table', async () => {
    await store.command('CREATE TABLE millrace_store.event_day_rebuilt AS millrace_store.event_day')
    await store.command('INSERT INTO millrace_store.event_day_rebuilt SELECT * FROM millrace_store.event_day')
    await store.command("ALTER TABLE millrace_store.event_day DELETE WHERE project = 1 AND day = '2024-04-01' SETTINGS mutations_sync = 2")
    const broken = await store.query(ALL)
    expect(await rebuildEventDay(store, MARCH)).toMatchObject({ differ: 0 })
    expect(await store.query(ALL)).toEqual(broken)
    expect(await rebuildEventDay(store, { year: 2024, month: 4 })).toMatchObject({ partitions: 2, differ: 0 })
    expect(await store.query(ALL)).toEqual(await store.query(RAW))
    expect(await store.query("SELECT name FROM system.tables WHERE name = 'event_day_rebuilt'")).toEqual([])
  })

  it('of which no event is left has no row, and what comes afterwards is counted once', async () => {
    await store.command("ALTER TABLE millrace_store.events DELETE WHERE toYear(day) = 2023 SETTINGS mutations_sync = 2")
    expect(await rebuildEventDay(store, { year: 2023, month: 3 })).toMatchObject({ partitions: 2, differ: 0 })
    expect(await store.query(ALL)).toEqual(await store.query(RAW))
    expect(await rebuildEventDay(store, { year: 1999, month: 1 })).toEqual({ partitions: 0, differed: 0, differ: 0 })
    await insertRows(store, 'events', [eventRow(event({ messageId: 'late', timestamp: Date.parse('2024-03-02T00:00:00Z') }), line({ place: [1, 0, 0] }), createZone('UTC').day)], 'late')
    expect(await store.query(ALL)).toEqual(await store.query(RAW))
  })
})
