import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore } from '@millrace/adapters'
import { migrate, STORE_DATABASE } from '@millrace/warehouse'
import type { ColumnStore } from '@millrace/ports'
import { openTestServer } from '../../../tests/support/engine.ts'

/** A column store of its own, migrated: chDB in this process, or, where `tests/column-store` says so, a server over HTTP. */
export const openStore = async (): Promise<ColumnStore> => {
  const store = process.env['MILLRACE_TEST_COLUMN_STORE'] === 'server' ? await openTestServer() : openChdb()
  await migrate(store)
  return store
}

const openChdb = (): ColumnStore => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-warehouse-'))
  const store = createChdbStore({ path })
  return { ...store, close: async () => (await store.close(), rmSync(path, { recursive: true, force: true })) }
}

export const insertRows = (store: ColumnStore, table: string, rows: readonly string[], token: string): Promise<void> =>
  store.insert({ table: `${STORE_DATABASE}.${table}`, rows: Buffer.from(`${rows.join('\n')}\n`), token })
