import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore } from '@millrace/adapters'
import { migrate, STORE_DATABASE } from '@millrace/warehouse'
import type { ColumnStore } from '@millrace/ports'

/** A column store of its own folder, migrated; chDB serves one folder a process, so one a test file. */
export const openStore = async (): Promise<ColumnStore> => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-warehouse-'))
  const store = createChdbStore({ path })
  await migrate(store)
  return { ...store, close: async () => (await store.close(), rmSync(path, { recursive: true, force: true })) }
}

export const insertRows = (store: ColumnStore, table: string, rows: readonly string[], token: string): Promise<void> =>
  store.insert({ table: `${STORE_DATABASE}.${table}`, rows: Buffer.from(`${rows.join('\n')}\n`), token })
