import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StoreError, type ColumnStore } from '../column-store.ts'

export interface ColumnStoreFixture {
  readonly store: ColumnStore
  /** Closes the store and removes its data. */
  dispose(): Promise<void>
}

/** ClickHouse's code for an exception thrown by `throwIf`. */
const THROW_IF = 395
const TABLE = 'suite.rows'

/** What every column store promises. One store serves all tests, since starting one takes long. */
export const columnStoreSuite = (name: string, make: () => Promise<ColumnStoreFixture>): void => {
  describe(`column store: ${name}`, () => {
    let fixture: ColumnStoreFixture
    beforeAll(async () => {
      fixture = await make()
      await fixture.store.command('CREATE DATABASE IF NOT EXISTS suite')
      await fixture.store.command(
        `CREATE TABLE ${TABLE} (n UInt32, text String) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100`,
      )
    })
    afterAll(async () => {
      await fixture.store.command('DROP DATABASE suite')
      await fixture.dispose()
    })
    inserting(() => fixture.store)
    asking(() => fixture.store)
  })
}

const rows = (from: number, count: number): Uint8Array =>
  Buffer.from(Array.from({ length: count }, (_, index) => `${JSON.stringify({ n: from + index, text: 'ä "quoted"\n' })}\n`).join(''))

const countFrom = async (store: ColumnStore, from: number): Promise<number> => {
  const [row] = await store.query<{ found: number }>(`SELECT toUInt32(count()) AS found FROM ${TABLE} WHERE n >= ${from} AND n < ${from + 1000}`)
  return row!.found
}

const inserting = (store: () => ColumnStore): void => {
  it('stores rows as they were given', async () => {
    await store().insert({ table: TABLE, rows: rows(1_000, 3), token: 'as-given' })
    const found = await store().query(`SELECT n, text FROM ${TABLE} WHERE n >= 1000 AND n < 2000 ORDER BY n`)
    expect(found).toEqual([1_000, 1_001, 1_002].map((n) => ({ n, text: 'ä "quoted"\n' })))
  })

  it('does nothing when an insert is repeated with its token', async () => {
    for (const _ of [1, 2, 3]) await store().insert({ table: TABLE, rows: rows(2_000, 5), token: 'repeated' })
    expect(await countFrom(store(), 2_000)).toBe(5)
    await store().insert({ table: TABLE, rows: rows(2_000, 5), token: 'another' })
    expect(await countFrom(store(), 2_000)).toBe(10)
  })

  it('stores nothing of an insert that it refuses', async () => {
    const bad = Buffer.concat([rows(3_000, 2), Buffer.from('{"n":"no number","text":""}\n')])
    await expect(store().insert({ table: TABLE, rows: bad, token: 'refused' })).rejects.toBeInstanceOf(StoreError)
    expect(await countFrom(store(), 3_000)).toBe(0)
  })
}

const asking = (store: () => ColumnStore): void => {
  it("throws with ClickHouse's own code", async () => {
    await expect(store().query('SELECT * FROM suite.none')).rejects.toMatchObject({ name: 'StoreError', code: 60 })
    await expect(store().command('SELECT FROM WHERE')).rejects.toMatchObject({ name: 'StoreError', code: 62 })
  })

  it('sends settings with their own statement alone', async () => {
    const sql = "SELECT value FROM system.settings WHERE name = 'max_block_size'"
    const [before] = await store().query(sql)
    const [within] = await store().query<{ value: string }>(sql, { settings: { max_block_size: 1_234 } })
    expect(within!.value).toBe('1234')
    for (const _ of Array.from({ length: 8 })) expect((await store().query(sql))[0]).toEqual(before)
  })

  it('streams an answer in the format asked', async () => {
    expect(await streamed(store(), 'SELECT number AS n FROM numbers(3)', 'JSONEachRow')).toMatch(/"n":"?0"?[^]*"n":"?2"?/)
    const csv = await streamed(store(), 'SELECT number FROM numbers(100000)', 'CSV')
    expect(csv.trim().split('\n')).toHaveLength(100_000)
  })

  it('raises an error in the middle of a stream', async () => {
    const sql = 'SELECT throwIf(number = 500000) AS n, randomPrintableASCII(20) FROM numbers(1000000)'
    await expect(streamed(store(), sql, 'TSV', { max_block_size: 10_000 })).rejects.toMatchObject({ name: 'StoreError', code: THROW_IF })
  })
}

const streamed = async (store: ColumnStore, sql: string, format: string, settings = {}): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of store.stream(sql, format, { settings })) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
