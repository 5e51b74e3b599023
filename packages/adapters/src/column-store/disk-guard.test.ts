import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ColumnStore } from '@millrace/ports'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createChdbStore } from './chdb.ts'
import { createDiskGuard } from './disk-guard.ts'
import { repairParts } from './repair-parts.ts'

const path = mkdtempSync(join(tmpdir(), 'millrace-parts-'))
let store: ColumnStore
beforeAll(async () => {
  store = createChdbStore({ path, clients: 2 })
  await store.command('CREATE DATABASE d')
  await store.command('CREATE TABLE d.sums (n UInt64, times UInt64) ENGINE = SummingMergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100, old_parts_lifetime = 60')
  await store.command('CREATE TABLE d.t (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100, old_parts_lifetime = 60')
  await store.command('CREATE MATERIALIZED VIEW d.feed TO d.sums AS SELECT n, count() AS times FROM d.t GROUP BY n')
})
afterAll(async () => {
  await store.close()
  rmSync(path, { recursive: true, force: true })
})

const insert = (n: number): Promise<void> => store.insert({ table: 'd.t', rows: Buffer.from(`{"n":${n}}`), token: `t${n}` })
const sums = async (): Promise<unknown> => (await store.query('SELECT (SELECT count() FROM d.t) AS rows, (SELECT sum(times) FROM d.sums) AS times'))[0]
/** What the engine leaves of a part whose last files met a full disk. */
const spoil = async (table: string): Promise<void> => {
  const [part] = await store.query<{ path: string }>(`SELECT path FROM system.parts WHERE active AND database = 'd' AND table = '${table}' ORDER BY max_block_number DESC LIMIT 1`)
  for (const file of ['columns.txt', 'checksums.txt']) truncateSync(join(part!.path, file), 0)
}

describe('parts that are not whole', () => {
  it('give way to their sources when they were merged', async () => {
    for (const n of [1, 2]) await insert(n)
    await store.command('OPTIMIZE TABLE d.t FINAL')
    expect(await store.query("SELECT rows FROM system.parts WHERE active AND database = 'd' AND table = 't'")).toEqual([{ rows: 2 }])
    await spoil('t')
    await store.command('SYSTEM STOP MERGES')
    await repairParts(store, { canWrite: false })
    expect(await store.query("SELECT rows FROM system.parts WHERE active AND database = 'd' AND table = 't'")).toEqual([{ rows: 1 }, { rows: 1 }])
    expect(await store.query('SELECT name FROM system.detached_parts')).toEqual([])
    await insert(2)
    expect(await sums()).toEqual({ rows: 2, times: 2 })
  })

  it('are dropped when they were inserted, with their tokens: the same insert is stored again, once', async () => {
    await insert(3)
    for (const table of ['t', 'sums']) await spoil(table)
    // Dropping a part writes one, so it waits for room.
    await repairParts(store, { canWrite: false })
    expect(await sums()).toEqual({ rows: 3, times: 3 })
    await repairParts(store, { canWrite: true })
    expect(await sums()).toEqual({ rows: 2, times: 2 })
    for (const n of [3, 3, 2]) await insert(n)
    expect(await sums()).toEqual({ rows: 3, times: 3 })
  })
})

describe('a disk without room', () => {
  it('refuses inserts until there is room and every part was read', async () => {
    let free = 1_000
    const guard = createDiskGuard({ path, engine: store, freeBytesMin: 500, freeBytes: async () => free })
    await guard.check()
    free = 499
    await expect(guard.check()).rejects.toMatchObject({ code: 243 })
    free = 1_000
    await expect(guard.check()).rejects.toMatchObject({ code: 243 })
    await expect.poll(() => guard.check().then(() => 'admitted', () => 'refused'), { timeout: 60_000 }).toBe('admitted')
    await guard.stop()
    await insert(4)
    expect(await sums()).toEqual({ rows: 4, times: 4 })
  })
})
