import { fileURLToPath } from 'node:url'
import { createZone, personIdOf } from '@millrace/contracts'
import { eventRow, migrate, numberRow, personNumberSql, reloadNumbers } from '@millrace/warehouse'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ColumnStore } from '@millrace/ports'
import { AT, event, line } from './builders.ts'
import { insertRows, openStore } from './store.ts'

let store: ColumnStore
beforeAll(async () => void (store = await openStore()))
afterAll(() => store.close())

const utc = createZone('UTC').day

describe('migrate', () => {
  it('changes nothing the second time', async () => {
    expect(await migrate(store)).toEqual({ applied: [] })
  })

  it('makes exactly the tables of schema/', async () => {
    const tables = await store.query<{ name: string; sql: string }>(
      "SELECT name, create_table_query AS sql FROM system.tables WHERE database = 'millrace_store' AND name != 'migrations' ORDER BY name",
    )
    for (const { name, sql } of tables) {
      const [pretty] = await store.query<{ text: string }>(`SELECT formatQuery('${sql.replace(/[\\']/g, '\\$&')}') AS text`)
      await expect(`${pretty!.text}\n`).toMatchFileSnapshot(fileURLToPath(new URL(`../schema/${name}.sql`, import.meta.url)))
    }
  })

  it('refuses a schema that a newer build made', async () => {
    await store.command("INSERT INTO millrace_store.migrations SETTINGS async_insert=0 VALUES (9999, 'later')")
    await expect(migrate(store)).rejects.toThrow('use the newer build')
    await store.command('ALTER TABLE millrace_store.migrations DELETE WHERE version = 9999 SETTINGS mutations_sync=1')
  })
})

describe('rows', () => {
  it('come back from the events view as they went in, to the millisecond and the last digit', async () => {
    const properties = {
      plan: 'pro', price: 20, tax: 0.1, big: 9007199254740991, vip: true, none: null, tags: ['a', { b: 1 }],
      'quote"\\\n': 'it\'s "x"\\ \u0000 \ud83d\ude00', broken: 'a\ud800b',
    }
    const row = eventRow(
      event({ messageId: 'round', properties, context: { ip: '1.2.3.4' }, revenue: '12345678901234.0001', sentAt: AT + 1 }),
      line({ place: [3, 9007199254740991, 7] }), utc)
    await insertRows(store, 'events', [row], 't-round')
    const [seen] = await store.query<Record<string, unknown>>(
      "SELECT *, toString(revenue) AS money, toString(timestamp) AS ts, toString(sent_at) AS sent FROM millrace.events WHERE message_id = 'round'")
    expect(JSON.parse(seen!.properties as string)).toEqual({ ...properties, broken: 'a\ufffdb' })
    expect(seen).toMatchObject({
      project: 1, person_id: personIdOf(1, 'user_id:u1'), user_id: 'u1', anonymous_id: '',
      ts: '2024-01-15 12:34:56.789', sent: '2024-01-15 12:34:56.790', money: '12345678901234.0001', context: '{"ip":"1.2.3.4"}',
    })
    const [place] = await store.query<{ o: string }>("SELECT toString(_offset) AS o FROM millrace_store.events WHERE message_id = 'round'")
    expect(place!.o).toBe('9007199254740991')
  })

  it('count once when a batch is inserted again with its token, in the base and in the aggregate', async () => {
    const rows = [1, 2, 3].map((n) => eventRow(event({ project: 2, messageId: `m${n}`, revenue: '1.5' }), line({ number: n }), utc))
    for (let attempt = 0; attempt < 3; attempt++) await insertRows(store, 'events', rows, 't-again')
    await insertRows(store, 'events', [eventRow(event({ project: 2, messageId: 'other' }), line({ number: 3 }), utc)], 't-other')
    expect(await store.query(
      'SELECT event, sum(events) AS n, groupBitmapMerge(numbers) AS people, toString(sum(revenue)) AS money FROM millrace_store.event_day WHERE project = 2 GROUP BY event ORDER BY event',
    )).toEqual([
      { event: '*', n: 4, people: 3, money: '4.5' },
      { event: 'Order Completed', n: 4, people: 3, money: '4.5' },
    ])
    expect(await store.query('SELECT count() AS n FROM millrace.events WHERE project = 2')).toEqual([{ n: 4 }])
  })

  it('stand in the day of the project', async () => {
    const shanghai = createZone('Asia/Shanghai').day
    expect([AT, Date.UTC(2024, 0, 15, 15, 59, 59, 999), Date.UTC(2024, 0, 15, 16)].map(shanghai)).toEqual(
      ['2024-01-15', '2024-01-15', '2024-01-16'])
  })
})

describe('number to person', () => {
  const mapped = (number: number, key: string, person: string, personNumber: number, version: number): string =>
    numberRow(5, { type: 'number.mapped', number, key, person, personNumber, linkedAt: AT, version })
  const own = (key: string): string => personIdOf(5, key)
  const seen = () => store.query(
    `SELECT message_id AS m, person_id AS p FROM millrace.events WHERE project = 5 ORDER BY m`)

  it('follows merge and unmerge at once, through base and delta', async () => {
    await insertRows(store, 'events', [
      eventRow(event({ project: 5, messageId: 'a' }), line({ key: 'anonymous_id:a', number: 1 }), utc),
      eventRow(event({ project: 5, messageId: 'u' }), line({ key: 'user_id:u', number: 2 }), utc),
      eventRow(event({ project: 5, messageId: 'n' }), line({ key: 'none:3', number: 3 }), utc),
    ], 't-identity')
    await insertRows(store, 'numbers', [
      mapped(1, 'anonymous_id:a', own('anonymous_id:a'), 1, 1), mapped(2, 'user_id:u', own('user_id:u'), 2, 2)], 'n1')
    await reloadNumbers(store, 'delta')
    const apart = [{ m: 'a', p: own('anonymous_id:a') }, { m: 'n', p: null }, { m: 'u', p: own('user_id:u') }]
    const merged = [{ m: 'a', p: own('user_id:u') }, { m: 'n', p: null }, { m: 'u', p: own('user_id:u') }]
    expect(await seen()).toEqual(apart)
    await insertRows(store, 'numbers', [mapped(1, 'anonymous_id:a', own('user_id:u'), 2, 3)], 'n2')
    await reloadNumbers(store, 'delta')
    expect(await seen()).toEqual(merged)
    await reloadNumbers(store, 'base')
    expect(await seen()).toEqual(merged)
    expect(await store.query(`SELECT number, ${personNumberSql()} AS p FROM millrace_store.events WHERE project = 5 AND number = 1`))
      .toEqual([{ number: 1, p: 2 }])
    await insertRows(store, 'numbers', [mapped(1, 'anonymous_id:a', own('anonymous_id:a'), 1, 4)], 'n3')
    await reloadNumbers(store, 'delta')
    expect(await seen()).toEqual(apart)
    await reloadNumbers(store, 'base')
    expect(await seen()).toEqual(apart)
  })
})
