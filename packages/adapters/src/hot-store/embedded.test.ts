import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hotStoreSuite } from '@millrace/ports/suites'
import { createFileClock, writeFileClock } from '../clock/file.ts'
import { openLmdb } from '../lmdb/open.ts'
import { createEmbeddedHotStore } from './embedded.ts'

for (const cacheEntriesMax of [0, 3, 50_000]) {
  hotStoreSuite(`embedded, ${cacheEntriesMax} documents in memory`, async () => {
    const dir = await mkdtemp(join(tmpdir(), 'millrace-hot-'))
    const file = join(dir, 'time')
    writeFileClock(file, 1_000_000)
    const open = async () => {
      const root = await openLmdb(join(dir, 'log'))
      return { root, hot: createEmbeddedHotStore({ root, clock: createFileClock(file), cacheEntriesMax }) }
    }
    let current = await open()
    const close = async () => {
      await current.hot.close()
      await current.root.close()
    }
    let time = 1_000_000
    return {
      hot: current.hot,
      advance: async (ms) => {
        writeFileClock(file, (time += ms))
        await new Promise((resolve) => setTimeout(resolve, 20))
      },
      reopen: async () => {
        await close()
        current = await open()
        return current.hot
      },
      dispose: async () => {
        await close()
        await rm(dir, { recursive: true })
      },
    }
  })
}
