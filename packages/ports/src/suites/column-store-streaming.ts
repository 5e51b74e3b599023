import { expect, it } from 'vitest'
import type { ColumnStore } from '../column-store.ts'

/** ClickHouse's code for an exception thrown by `throwIf`. */
const THROW_IF = 395
const FORMATS = ['Native', 'RowBinary', 'RowBinaryWithNamesAndTypes', 'CSV', 'CSVWithNames', 'TSV', 'TabSeparatedWithNamesAndTypes', 'JSONEachRow',
  'JSONCompactEachRow', 'JSONCompactEachRowWithNames', 'JSONCompact', 'Parquet', 'ArrowStream'] as const

const streamed = async (store: ColumnStore, sql: string, format: string, settings = {}): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of store.stream(sql, format, { settings })) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

export const streaming = (store: () => ColumnStore): void => {
  it('gives an answer in the format asked', async () => {
    expect((await streamed(store(), 'SELECT number AS n FROM numbers(3)', 'JSONEachRow')).toString()).toBe('{"n":0}\n{"n":1}\n{"n":2}\n')
    const csv = await streamed(store(), 'SELECT number FROM numbers(100000)', 'CSV')
    expect(csv.toString().trim().split('\n')).toHaveLength(100_000)
    expect((await streamed(store(), "SHOW DATABASES LIKE 'suite'", 'TSV')).toString()).toBe('suite\n')
    expect((await streamed(store(), 'EXPLAIN SYNTAX SELECT 1', 'TSVRaw')).toString()).toMatch(/^SELECT 1\n/)
  })

  it('gives an empty answer in every format', async () => {
    const empty = async (format: string): Promise<string> => (await streamed(store(), 'SELECT 1 AS x WHERE 0', format)).toString('latin1')
    expect(await empty('Native')).toBe('\x01\x00\x01x\x05UInt8')
    expect(await empty('CSV')).toBe('')
    expect(await empty('JSONEachRow')).toBe('')
    expect(await empty('CSVWithNames')).toBe('"x"\n')
    expect(await empty('TabSeparatedWithNamesAndTypes')).toBe('x\nUInt8\n')
    expect(await empty('JSONCompactEachRowWithNames')).toBe('["x"]\n')
    expect(await empty('RowBinaryWithNamesAndTypes')).toBe('\x01\x01x\x05UInt8')
    expect(JSON.parse(await empty('JSONCompact'))).toMatchObject({ data: [], rows: 0 })
    for (const format of FORMATS) await empty(format)
  })

  it('comes in pieces, and throws what goes wrong in the middle, whatever the format', async () => {
    const sql = 'SELECT throwIf(number = 1900000) AS n, randomPrintableASCII(20) AS text FROM numbers(2000000)'
    for (const format of ['TSV', 'JSONEachRow', 'Native', 'CSVWithNames', 'RowBinary']) {
      let pieces = 0
      const failing = async (): Promise<void> => {
        for await (const piece of store().stream(sql, format, { settings: { max_block_size: 10_000, max_threads: 1 } })) pieces += Math.sign(piece.length)
      }
      await expect(failing(), format).rejects.toMatchObject({ name: 'StoreError', code: THROW_IF })
      expect(pieces, format).toBeGreaterThan(2)
    }
    await expect(streamed(store(), sql, 'JSON')).rejects.toMatchObject({ name: 'StoreError', code: THROW_IF })
  })

  it('gives texts that look like an exception as what they are', async () => {
    const text = 'Code: 395. DB::Exception: not true. (X) (version 26.7.2.1)'
    const found = await streamed(store(), `SELECT '${text}' AS text, '\\r\\n__exception__\\r\\nabc\\r\\n' AS mark FROM numbers(20000)`, 'JSONEachRow')
    const lines = found.toString().trim().split('\n')
    expect(lines).toHaveLength(20_000)
    expect(JSON.parse(lines.at(-1)!)).toEqual({ text, mark: '\r\n__exception__\r\nabc\r\n' })
    expect((await streamed(store(), `SELECT '\\r\\n__exception__\\r\\n' FROM numbers(3)`, 'TSVRaw')).toString()).toBe('\r\n__exception__\r\n\n'.repeat(3))
  })

  it('holds to its limits', async () => {
    for (const sql of ['SELECT number FROM system.numbers LIMIT 100', 'SELECT 1 UNION ALL SELECT number FROM numbers(100)'])
      await expect(streamed(store(), sql, 'Native', { max_result_rows: 5, result_overflow_mode: 'throw' })).rejects.toMatchObject({ name: 'StoreError', code: 396 })
  })

  it('may be left by its reader, and waits for a slow one', async () => {
    for (let n = 0; n < 20; n++) for await (const piece of store().stream('SELECT number FROM numbers(5000000)', 'Native')) if (piece) break
    let bytes = 0
    for await (const piece of store().stream('SELECT number FROM numbers(1000000)', 'RowBinary')) {
      bytes += piece.length
      await new Promise(setImmediate)
    }
    expect(bytes).toBe(8_000_000)
    expect(await store().query('SELECT 1 AS x')).toEqual([{ x: 1 }])
  })

  it('runs beside others, in any number that the store lets wait', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => streamed(store(), `SELECT ${n} + number FROM numbers(2000)`, 'TSV')))
    for (const [n, answer] of answers.entries()) {
      const lines = answer.toString().trim().split('\n')
      expect([lines.length, lines[0], lines.at(-1)]).toEqual([2_000, String(n), String(n + 1_999)])
    }
  })
}
