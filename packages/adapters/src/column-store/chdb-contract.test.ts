import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { columnStoreSuite } from '@millrace/ports/suites'
import { createChdbStore } from './chdb.ts'

columnStoreSuite('chdb', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-columns-'))
  const store = createChdbStore({ path: join(dir, 'warehouse') })
  return {
    store,
    dispose: async () => {
      await store.close()
      await rm(dir, { recursive: true })
    },
  }
})
