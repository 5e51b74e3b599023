import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ColumnStore } from '@millrace/ports'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createChdbStore } from './chdb.ts'
import { lostTokens } from './lost-parts.ts'

const note = (part: string, token: string, added = true) => ({ part, token, added })

describe('tokens of parts that are not there', () => {
  it('are those of parts that are neither in the folder nor within a merged one', () => {
    const notes = [note('1_1_1_0', 'a'), note('1_2_2_0', 'b'), note('1_3_3_0', 'c'), note('2_4_4_0', 'd'), note('2_5_5_0', 'e'), note('x-202401_6_6_0', 'f')]
    const folder = ['1_1_2_1_9', '2_4_4_0', 'tmp_insert_2_5_5_0', 'delete_tmp_1_3_3_0', 'detached', 'deduplication_logs', 'format_version.txt']
    expect(lostTokens(notes, folder).map(({ token }) => token)).toEqual(['c', 'e', 'f'])
  })

  it('are not those that were forgotten already, and the newest part of a token counts', () => {
    expect(lostTokens([note('1_1_1_0', 'a'), note('1_1_1_0', 'a', false)], [])).toEqual([])
    expect(lostTokens([note('1_1_1_0', 'a'), note('1_1_1_0', 'a', false), note('1_2_2_0', 'a')], ['1_2_2_0'])).toEqual([])
  })
})

describe('an engine that was killed between a token and its part', () => {
  let path: string
  let store: ColumnStore
  const open = (): void => void (store = createChdbStore({ path, clients: 2 }))
  beforeEach(async () => {
    path = mkdtempSync(join(tmpdir(), 'millrace-lost-'))
    open()
    await store.command('CREATE DATABASE d')
    await store.command('CREATE TABLE d.t (n UInt32, year UInt16) ENGINE = MergeTree PARTITION BY year ORDER BY n SETTINGS non_replicated_deduplication_window = 100')
    await store.command('CREATE TABLE d.sums (year UInt16, times SimpleAggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER BY year SETTINGS non_replicated_deduplication_window = 100')
    await store.command('CREATE MATERIALIZED VIEW d.feed TO d.sums AS SELECT year, count() AS times FROM d.t GROUP BY year')
  })
  afterEach(async () => {
    await store.close()
    rmSync(path, { recursive: true, force: true })
  })
  const insert = (token: string, years: readonly number[]): Promise<void> =>
    store.insert({ table: 'd.t', rows: Buffer.from(years.map((year, n) => `{"n":${n},"year":${year}}\n`).join('')), token })
  const counts = (): Promise<unknown> => store.query('SELECT (SELECT count() FROM d.t) AS rows, (SELECT sum(times) FROM d.sums) AS times')
  const folderOf = async (table: string): Promise<string> =>
    (await store.query<{ path: string }>(`SELECT data_paths[1] AS path FROM system.tables WHERE database = 'd' AND name = '${table}'`))[0]!.path
  /** The folder as such a kill leaves it: the token is written down, the part never got its name. */
  const losePart = (folder: string, start: string): void => {
    const lost = readdirSync(folder).filter((name) => name.startsWith(start))
    expect(lost).toHaveLength(1)
    rmSync(join(folder, lost[0]!), { recursive: true })
  }

  it.each([
    ['in the table', 't', '2003_'],
    ['behind its view', 'sums', 'all_2_2_'],
  ])('stores the part when the insert is repeated, and nothing else again: %s', async (_, table, start) => {
    await insert('one', [2001, 2002])
    await insert('two', [2002, 2003, 2004])
    const folder = await folderOf(table)
    await store.close()
    losePart(folder, start)
    open()
    expect(await counts()).not.toEqual([{ rows: 5, times: 5 }])
    await insert('two', [2002, 2003, 2004])
    expect(await counts()).toEqual([{ rows: 5, times: 5 }])
    await insert('one', [2001, 2002])
    await store.close()
    open()
    for (const [token, years] of [['one', [2001, 2002]], ['two', [2002, 2003, 2004]]] as const) await insert(token, years)
    expect(await counts()).toEqual([{ rows: 5, times: 5 }])
  })

  it('still knows the tokens of parts that were merged', async () => {
    for (const token of ['one', 'two', 'three']) await insert(token, [2001])
    await store.command('OPTIMIZE TABLE d.t FINAL')
    await store.close()
    open()
    for (const token of ['one', 'two', 'three']) await insert(token, [2001])
    expect(await counts()).toEqual([{ rows: 3, times: 3 }])
  })

  it('reads on behind a note that was cut off', async () => {
    await insert('one', [2001])
    const folder = join(await folderOf('t'), 'deduplication_logs')
    await store.close()
    appendFileSync(join(folder, readdirSync(folder).at(-1)!), '1\t2001_9_9')
    open()
    await insert('two', [2001])
    await store.close()
    open()
    for (const token of ['one', 'two']) await insert(token, [2001])
    expect(await counts()).toEqual([{ rows: 2, times: 2 }])
  })
})
