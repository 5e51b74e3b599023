import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hotStoreProperty } from '@millrace/ports/suites'
import { afterAll } from 'vitest'
import { openLmdb } from '../lmdb/open.ts'
import { createEmbeddedHotStore } from './embedded.ts'

const folder = await mkdtemp(join(tmpdir(), 'millrace-hot-property-'))
afterAll(() => rm(folder, { recursive: true }))

let cases = 0
hotStoreProperty('embedded', async (clock, cacheEntriesMax) => {
  const root = await openLmdb(join(folder, String(cases++)), { syncMode: 'os', commitEveryMs: 0 })
  let hot = createEmbeddedHotStore({ root, clock, cacheEntriesMax })
  return {
    hot,
    again: async () => {
      await hot.close()
      hot = createEmbeddedHotStore({ root, clock })
      return hot
    },
    dispose: async () => {
      await hot.close()
      await root.close()
    },
  }
})
