import { beforeAll, expect, it } from 'vitest'
import { StoreError, type ColumnStore } from '../column-store.ts'

const TABLE = 'suite.rows'
const WINDOW = 'SETTINGS non_replicated_deduplication_window = 100'

const rows = (from: number, count: number): Uint8Array =>
  Buffer.from(Array.from({ length: count }, (_, index) => `${JSON.stringify({ n: from + index, text: 'ä "quoted"\n' })}\n`).join(''))

const countFrom = async (store: ColumnStore, from: number, table = TABLE): Promise<number> => {
  const [row] = await store.query<{ found: number }>(`SELECT toUInt32(count()) AS found FROM ${table} WHERE n >= ${from} AND n < ${from + 1000}`)
  return row!.found
}

export const inserting = (store: () => ColumnStore): void => {
  beforeAll(async () => {
    await store().command(`CREATE TABLE ${TABLE} (n UInt32, text String) ENGINE = MergeTree ORDER BY n ${WINDOW}`)
    await store().command(`CREATE TABLE suite.sums (n UInt32, times SimpleAggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER BY n ${WINDOW}`)
    await store().command(`CREATE MATERIALIZED VIEW suite.sums_feed TO suite.sums AS SELECT intDiv(n, 1000) * 1000 AS n, count() AS times FROM ${TABLE} GROUP BY n`)
  })

  it('stores rows as they were given', async () => {
    await store().insert({ table: TABLE, rows: rows(1_000, 3), token: 'as-given' })
    const found = await store().query(`SELECT n, text FROM ${TABLE} WHERE n >= 1000 AND n < 2000 ORDER BY n`)
    expect(found).toEqual([1_000, 1_001, 1_002].map((n) => ({ n, text: 'ä "quoted"\n' })))
  })

  it('does nothing when it is repeated with its token, in the table and behind its views, and something with another', async () => {
    const times = async (): Promise<unknown> => (await store().query("SELECT toUInt32(sum(times)) AS times FROM suite.sums WHERE n = 2000"))[0]
    for (const _ of [1, 2, 3]) await store().insert({ table: TABLE, rows: rows(2_000, 5), token: 'repeated' })
    expect(await countFrom(store(), 2_000)).toBe(5)
    expect(await times()).toEqual({ times: 5 })
    await store().insert({ table: TABLE, rows: rows(2_000, 5), token: 'another' })
    expect(await countFrom(store(), 2_000)).toBe(10)
    expect(await times()).toEqual({ times: 10 })
  })

  it('stores the same rows again with each new token, and with none that sticks to later statements', async () => {
    for (let n = 0; n < 20; n++) await store().insert({ table: TABLE, rows: rows(4_000, 2), token: `many-${n}` })
    expect(await countFrom(store(), 4_000)).toBe(40)
    for (const text of ['x', 'y']) await store().command(`INSERT INTO ${TABLE} SETTINGS async_insert=0 VALUES (4999, '${text}')`)
    expect(await countFrom(store(), 4_000)).toBe(42)
  })

  it('takes any text as a token', async () => {
    for (const token of ["it's \\ \"quoted\"", '密 %20&=?#', ' ', 'x'.repeat(500)]) {
      const before = await countFrom(store(), 6_000)
      for (const _ of [1, 2]) await store().insert({ table: TABLE, rows: rows(6_000, 1), token })
      expect(await countFrom(store(), 6_000), token).toBe(before + 1)
    }
  })

  it('stores one of two that come at once with one token', async () => {
    for (let n = 0; n < 5; n++) await Promise.all([1, 2, 3].map(() => store().insert({ table: TABLE, rows: rows(7_000 + n * 100, 50), token: `race-${n}` })))
    expect(await countFrom(store(), 7_000)).toBe(250)
  })

  it('stores nothing of what it refuses, wherever the bad row stands, and takes the token for the right rows', async () => {
    const good = rows(3_000, 300)
    const bad = Buffer.from('{"n":"no number","text":""}\n')
    for (const mixed of [Buffer.concat([bad, good]), Buffer.concat([good, bad]), Buffer.concat([good, bad, rows(3_300, 300)])]) {
      const refused = store().insert({ table: TABLE, rows: mixed, token: 'refused' })
      await expect(refused).rejects.toBeInstanceOf(StoreError)
      await expect(refused).rejects.toMatchObject({ code: 27 })
      expect(await countFrom(store(), 3_000)).toBe(0)
    }
    await store().insert({ table: TABLE, rows: good, token: 'refused' })
    expect(await countFrom(store(), 3_000)).toBe(300)
  })

  it('is one part however many rows it has', async () => {
    await store().command(`CREATE TABLE suite.big (n UInt32) ENGINE = MergeTree ORDER BY n ${WINDOW}`)
    await store().command('SYSTEM STOP MERGES suite.big')
    // More than the server puts into a block unless it is told otherwise.
    const many = Buffer.from('{"n":1}\n'.repeat(1_100_000))
    for (const _ of [1, 2]) await store().insert({ table: 'suite.big', rows: many, token: 'big' })
    const parts = await store().query("SELECT toUInt32(count()) AS parts, toUInt32(sum(rows)) AS rows FROM system.parts WHERE database = 'suite' AND table = 'big' AND active")
    expect(parts).toEqual([{ parts: 1, rows: 1_100_000 }])
  })

  it('reaches over many partitions', async () => {
    await store().command(`CREATE TABLE suite.wide (n UInt32, text String) ENGINE = MergeTree PARTITION BY n ORDER BY n SETTINGS non_replicated_deduplication_window = 1000`)
    for (const _ of [1, 2]) await store().insert({ table: 'suite.wide', rows: rows(0, 150), token: 'wide' })
    expect(await countFrom(store(), 0, 'suite.wide')).toBe(150)
  })

  it('of no rows is nothing, and does not use up its token', async () => {
    await store().insert({ table: TABLE, rows: new Uint8Array(0), token: 'empty' })
    await store().insert({ table: TABLE, rows: rows(8_000, 1), token: 'empty' })
    expect(await countFrom(store(), 8_000)).toBe(1)
  })

  it('refuses a table that is not there, and a name that is none', async () => {
    await expect(store().insert({ table: 'suite.none', rows: rows(0, 1), token: 'none' })).rejects.toMatchObject({ name: 'StoreError', code: 60 })
    await expect(store().insert({ table: 'suite.rows FORMAT Null --', rows: rows(0, 1), token: 'x' })).rejects.toBeInstanceOf(StoreError)
  })
}
