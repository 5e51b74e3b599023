import { expect, it } from 'vitest'
import type { ColumnStore } from '../column-store.ts'

const LIMIT = { max_result_rows: 5, result_overflow_mode: 'throw' }

export const asking = (store: () => ColumnStore): void => {
  it("throws with ClickHouse's own code and text", async () => {
    await expect(store().query('SELECT * FROM suite.none')).rejects.toMatchObject({ name: 'StoreError', code: 60, message: expect.stringMatching(/^Code: 60\. DB::Exception: .*suite\.none/) })
    await expect(store().command('SELECT FROM WHERE')).rejects.toMatchObject({ name: 'StoreError', code: 62 })
    await expect(store().query("SELECT toDate('x')")).rejects.toMatchObject({ name: 'StoreError', code: 38 })
  })

  it('sends settings with their own statement alone', async () => {
    const sql = "SELECT value FROM system.settings WHERE name = 'max_block_size'"
    const [before] = await store().query(sql)
    const [within] = await store().query<{ value: string }>(sql, { settings: { max_block_size: 1_234 } })
    expect(within!.value).toBe('1234')
    for (const _ of Array.from({ length: 8 })) expect((await store().query(sql))[0]).toEqual(before)
  })

  it('refuses a setting that is none, and one that would leave its place', async () => {
    await expect(store().query('SELECT 1', { settings: { no_such_setting: 1 } })).rejects.toMatchObject({ name: 'StoreError', code: 115 })
    await expect(store().query('SELECT 1', { settings: { 'max_threads=1, readonly': 0 } })).rejects.toMatchObject({ name: 'StoreError', code: 36 })
  })

  it('holds every form of a statement to the limits that are sent with it', async () => {
    for (const sql of [
      'SELECT number FROM numbers(100)',
      'SELECT 1 UNION ALL SELECT number FROM numbers(100)',
      '(SELECT 1) UNION ALL (SELECT number FROM numbers(100))',
      'WITH x AS (SELECT number FROM numbers(100)) SELECT * FROM x',
    ]) {
      await expect(store().query(sql, { settings: LIMIT }), sql).rejects.toMatchObject({ name: 'StoreError', code: 396 })
      expect(await store().query(sql)).not.toHaveLength(0)
    }
    await expect(store().query('SELECT count() FROM numbers(100000000000)', { settings: { max_execution_time: 0.2, timeout_overflow_mode: 'throw' } })).rejects.toMatchObject({ name: 'StoreError', code: 159 })
    await expect(store().query('SELECT uniqExact(number) FROM numbers(20000000)', { settings: { max_memory_usage: 20_000_000 } })).rejects.toMatchObject({ name: 'StoreError', code: 241 })
    await expect(store().query('SELECT sum(number) FROM numbers(10000000)', { settings: { max_rows_to_read: 1_000 } })).rejects.toMatchObject({ name: 'StoreError', code: 158 })
  })

  it('gives numbers, money, times, texts and nothing in one form', async () => {
    const [row] = await store().query(`SELECT toUInt64(9007199254740991) AS whole, toInt64(-5) AS negative, toString(toUInt64(18446744073709551615)) AS large,
      toDecimal64('1234.5600', 4) AS money, toFloat64(0.1) AS float, 1 / 0 AS infinite, true AS yes, CAST(NULL, 'Nullable(UInt8)') AS none,
      toDateTime64('2024-02-29 12:34:56.789', 3, 'UTC') AS at, toDate('2024-02-29') AS day, '\\t"\\\\\\n密\\0' AS text, [1, 2] AS list,
      map('a', 1.5) AS by_name, (1, 'x') AS pair, toUUID('00000000-0000-4000-8000-000000000001') AS id`)
    expect(row).toEqual({
      whole: 9007199254740991, negative: -5, large: '18446744073709551615', money: 1234.56, float: 0.1, infinite: null, yes: true, none: null,
      at: '2024-02-29 12:34:56.789', day: '2024-02-29', text: '\t"\\\n密\0', list: [1, 2], by_name: { a: 1.5 }, pair: [1, 'x'],
      id: '00000000-0000-4000-8000-000000000001',
    })
  })

  it('gives 64-bit integers as numbers of JSON, so whole beyond 2^53 only as text', async () => {
    const [row] = await store().query<{ n: unknown; text: string }>('SELECT toUInt64(9007199254740993) AS n, toString(n) AS text')
    expect(row!.n).toBe(Number('9007199254740993'))
    expect(row!.text).toBe('9007199254740993')
  })

  it('gives no rows where there are none, and many where there are many', async () => {
    expect(await store().query('SELECT 1 AS x WHERE 0')).toEqual([])
    const rows = await store().query<{ n: number; text: string }>("SELECT number AS n, repeat('x', 100) AS text FROM numbers(100000)")
    expect(rows).toHaveLength(100_000)
    expect(rows.at(-1)).toEqual({ n: 99_999, text: 'x'.repeat(100) })
  })

  it('takes long statements, comments, semicolons and settings of their own', async () => {
    const list = Array.from({ length: 30_000 }, (_, n) => n).join(',')
    expect(await store().query(`SELECT length([${list}]) AS n;`)).toEqual([{ n: 30_000 }])
    expect(await store().query('-- what it is for\n/* and why */ SELECT 1 AS n -- at the end')).toEqual([{ n: 1 }])
    expect(await store().query('SELECT number AS n FROM numbers(3) ORDER BY n SETTINGS max_threads = 1 ;\n')).toHaveLength(3)
    expect(await store().query('SELECT number AS n FROM numbers(3) SETTINGS max_threads = 1', { settings: { max_block_size: 2 } })).toHaveLength(3)
  })

  it('answers what is no SELECT', async () => {
    await store().command('CREATE TABLE suite.described (n UInt8) ENGINE = Memory')
    expect(await store().query('DESCRIBE TABLE suite.described')).toMatchObject([{ name: 'n', type: 'UInt8' }])
    expect(await store().query('EXISTS TABLE suite.described')).toEqual([{ result: 1 }])
    expect(await store().query("SHOW TABLES FROM suite LIKE 'descr%'")).toEqual([{ name: 'described' }])
    expect((await store().query('EXPLAIN AST SELECT 1')).length).toBeGreaterThan(1)
    await store().command('DROP TABLE suite.described')
  })

  it('leaves nothing of a failed statement in the answers that follow', async () => {
    const failing = 'SELECT throwIf(number = 300000) FROM numbers(400000) SETTINGS max_block_size=1000'
    for (let n = 0; n < 4; n++) await expect(store().query(failing)).rejects.toMatchObject({ code: 395 })
    for (let n = 0; n < 8; n++) expect(await store().query('SELECT 5 AS x')).toEqual([{ x: 5 }])
  })
}
