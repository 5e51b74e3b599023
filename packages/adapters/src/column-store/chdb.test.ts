import { mkdtempSync, rmSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StoreError, type ColumnStore } from '@millrace/ports'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createChdbStore } from './chdb.ts'

const path = mkdtempSync(join(tmpdir(), 'millrace-chdb-'))
let store: ColumnStore
beforeAll(async () => {
  store = createChdbStore({ path, clients: 3, waitingMax: 4 })
  await store.command('CREATE TABLE default.t (n UInt64, s String) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100')
  await store.command("INSERT INTO default.t SETTINGS async_insert=0 VALUES (1, 'x')")
})
afterAll(async () => {
  await store.close()
  rmSync(path, { recursive: true, force: true })
})

const count = async (): Promise<number> => (await store.query<{ n: number }>('SELECT count() AS n FROM default.t'))[0]!.n
const collect = async (sql: string, format: string, settings = {}): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const part of store.stream(sql, format, { settings })) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

describe('settings', () => {
  it('hold for one statement, whatever its form, and for no other', async () => {
    const settings = { max_result_rows: 5, result_overflow_mode: 'throw' }
    for (const sql of [
      'SELECT number FROM system.numbers LIMIT 100',
      'SELECT 1 UNION ALL SELECT number FROM numbers(100)',
      '(SELECT 1) UNION ALL (SELECT number FROM numbers(100))',
      'SELECT number FROM numbers(100) INTERSECT SELECT number FROM numbers(100)',
      'WITH x AS (SELECT number FROM numbers(100)) SELECT * FROM x',
    ]) {
      await expect(store.query(sql, { settings })).rejects.toMatchObject({ code: 396 })
      await expect(collect(sql, 'Native', settings)).rejects.toMatchObject({ code: 396 })
    }
    for (let n = 0; n < 6; n++) expect(await store.query('SELECT number FROM numbers(100)')).toHaveLength(100)
  })
})

describe('stream', () => {
  const sql = "SELECT number AS `a\"\nb`, toString(number) AS s, number % 3 = 0 ? NULL : number AS n FROM numbers(150000) ORDER BY number"

  it('gives every format byte for byte as a whole answer has it', async () => {
    const different: string[] = []
    for (const format of ['Native', 'RowBinary', 'RowBinaryWithNames', 'RowBinaryWithNamesAndTypes', 'CSV', 'CSVWithNames',
      'CSVWithNamesAndTypes', 'TSV', 'TSVWithNames', 'TabSeparatedWithNamesAndTypes', 'TSVRawWithNames', 'JSONEachRow',
      'JSONCompactEachRow', 'JSONCompactEachRowWithNames', 'JSONCompactEachRowWithNamesAndTypes',
      'JSONCompactStringsEachRowWithNames', 'JSONCompact', 'Values', 'Parquet', 'ArrowStream', 'XML']) {
      const file = join(path, 'user_files.out')
      await store.command(`${sql} INTO OUTFILE '${file}' TRUNCATE FORMAT ${format}`)
      const { readFileSync } = await import('node:fs')
      const streamed = await collect(sql, format)
      const whole = readFileSync(file)
      const cut = (bytes: Buffer): Buffer => (format === 'JSONCompact' || format === 'XML' ? bytes.subarray(0, 1_000_000) : bytes)
      if (!cut(streamed).equals(cut(whole))) different.push(format)
    }
    expect(different).toEqual([])
  })

  it('comes in pieces, and throws what goes wrong in the middle', async () => {
    let pieces = 0
    const failing = async (): Promise<void> => {
      for await (const piece of store.stream('SELECT throwIf(number = 900000) FROM numbers(1000000)', 'Native', { settings: { max_block_size: 8192 } })) pieces += Math.sign(piece.length)
    }
    await expect(failing()).rejects.toMatchObject({ name: 'StoreError', code: 395 })
    expect(pieces).toBeGreaterThan(5)
  })

  it('gives its connection back when the reader goes away', async () => {
    for (let n = 0; n < 8; n++) for await (const piece of store.stream('SELECT number FROM numbers(1000000)', 'Native')) if (piece) break
    expect(await count()).toBeGreaterThan(0)
  })
})

describe('a failed statement', () => {
  it('leaves nothing in the answers that follow', async () => {
    const failing = 'SELECT throwIf(number = 300000) FROM numbers(400000) SETTINGS max_block_size=1000'
    for (let n = 0; n < 4; n++) await expect(store.query(failing)).rejects.toMatchObject({ code: 395 })
    for (let n = 0; n < 8; n++) expect(await store.query('SELECT 5 AS x')).toEqual([{ x: 5 }])
    for (let n = 0; n < 4; n++) await expect(collect(failing, 'JSON')).rejects.toMatchObject({ code: 395 })
    for (let n = 0; n < 8; n++) expect((await collect('SELECT 5', 'TSV')).toString()).toBe('5\n')
  })
})

describe('the folder', () => {
  it('is refused to a second process, with a reason', async () => {
    const other = spawnSync(process.execPath, ['-e', `const { createChdbConnection } = require('chdb/connection'); createChdbConnection({ path: ${JSON.stringify(path)} })`], { cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8', timeout: 120_000 })
    expect(other.status).not.toBe(0)
    expect(other.stderr).toMatch(/lock|another|connection/i)
    expect(await count()).toBeGreaterThan(0)
  })

  it('that cannot be made is a StoreError', () => {
    expect(() => createChdbStore({ path: join(fileURLToPath(import.meta.url), 'folder') })).toThrow(StoreError)
  })
})

describe('the queue', () => {
  it('refuses what is over its bound with code 202 and serves the rest', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 12 }, () => store.query('SELECT sleep(0.1) AS x')))
    const refused = answers.filter((answer) => answer.status === 'rejected')
    expect(refused).toHaveLength(5)
    for (const answer of refused) expect(answer.reason).toMatchObject({ name: 'StoreError', code: 202 })
  })
})
