import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore } from '@millrace/adapters'
import { createZone } from '@millrace/contracts'
import type { ColumnStore } from '@millrace/ports'
import { eventRow, migrate, quoted, reloadNumbers } from '@millrace/warehouse'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { event, line } from './builders.ts'
import { insertRows } from './store.ts'

const path = mkdtempSync(join(tmpdir(), 'millrace-tables-'))
let store: ColumnStore
beforeAll(() => void (store = createChdbStore({ path })))
afterAll(async () => {
  await store.close()
  rmSync(path, { recursive: true, force: true })
})

/** Everything that `migrate` says to a store that has nothing, on an engine that only reads it. */
const told = async (options: Parameters<typeof migrate>[1]): Promise<readonly string[]> => {
  const statements: string[] = []
  const listening: ColumnStore = {
    ...store,
    command: async (sql) => void statements.push(sql),
    query: async <Row>(sql: string) => (sql.includes('merge_tree_settings') ? [{ seconds: '480' }] : []) as Row[],
  }
  await migrate(listening, options)
  return statements
}
const parsed = async (sql: string): Promise<string> => (await store.query<{ text: string }>(`SELECT formatQuery(${quoted(sql)}) AS text`))[0]!.text

describe('the statements for replicated tables (read by the parser, not yet run on a real cluster)', () => {
  it('are those of plain tables with another engine and another window, and nothing else', async () => {
    const plain = await told({ engine: 'plain' })
    const replicated = await told({ engine: 'replicated' })
    expect(replicated).toHaveLength(plain.length)
    let tables = 0
    for (const [index, sql] of replicated.entries()) {
      const text = await parsed(sql)
      const table = /^CREATE TABLE IF NOT EXISTS (millrace_store\.(?!migrations)\w+)\n/.exec(text)?.[1]
      if (table) tables++
      const path = `'/clickhouse/tables/{shard}/${table}', '{replica}'`
      const back = text
        .replace(`(${path})`, '').replace(`${path}, `, '').replace('ENGINE = Replicated', 'ENGINE = ')
        .replace('replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800', 'non_replicated_deduplication_window = 20000')
      expect(back).toBe(await parsed(plain[index]!))
      expect(text === back).toBe(table === undefined)
    }
    expect(tables).toBe(readdirSync(new URL('../schema/', import.meta.url)).filter((file) => /ENGINE = \w*MergeTree/.test(readFileSync(new URL(`../schema/${file}`, import.meta.url), 'utf8'))).length)
  })

  it("leave a server's own time for the sources of merges, and no macro", async () => {
    const statements = await told({ engine: 'plain' })
    expect(statements.filter((sql) => sql.includes('old_parts_lifetime = 480'))).toHaveLength(12)
    for (const sql of statements) expect(sql).not.toMatch(/\{[a-z_]+[ }]/)
  })
})

describe('dictionaries on a server that wants a password', () => {
  it('are refused with a sentence while nobody is let in, and are made again when somebody is', async () => {
    await expect(migrate(store, { dictionaryUser: { name: 'stranger', password: "it's wrong" } })).rejects.toMatchObject({ name: 'StoreError', code: 516, message: 'dictionaries cannot read the tables: the server does not let stranger in' })
    await migrate(store, { dictionaryUser: { name: 'default', password: '' } })
    await reloadNumbers(store, 'base')
    await insertRows(store, 'events', [eventRow(event({ messageId: 'seen' }), line({}), createZone('UTC').day)], 'seen')
    expect(await store.query("SELECT message_id FROM millrace.events WHERE person_id IS NOT NULL")).toEqual([{ message_id: 'seen' }])
    await migrate(store)
  })
})

describe('a store whose tables are there', () => {
  it('keeps the engine that they have', async () => {
    await expect(migrate(store, { engine: 'replicated' })).rejects.toMatchObject({ name: 'StoreError', message: expect.stringContaining('are plain') })
  })
})
