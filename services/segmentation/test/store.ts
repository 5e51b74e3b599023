import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore } from '@millrace/adapters'
import type { ColumnStore } from '@millrace/ports'
import { migrate } from '@millrace/warehouse'

/** A migrated warehouse in a folder of its own; one a test file, since chDB serves one folder a process. */
export const openStore = async (): Promise<ColumnStore> => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-segmentation-warehouse-'))
  const store = createChdbStore({ path })
  await migrate(store)
  return {
    ...store,
    close: async () => {
      await store.close()
      rmSync(path, { recursive: true, force: true })
    },
  }
}
