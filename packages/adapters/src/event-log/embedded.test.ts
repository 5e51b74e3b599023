import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventLogSuite } from '@millrace/ports/suites'
import { openLmdb, type LmdbRoot } from '../lmdb/open.ts'
import { createEmbeddedLog } from './embedded.ts'

eventLogSuite('embedded', async ({ waitingBytesMax }) => {
  const base = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  const open = async (dir: string) => {
    const root = await openLmdb(dir)
    return { root, log: createEmbeddedLog({ root, waitingBytesMax, backOff: { firstMs: 10, mostMs: 50 } }) }
  }
  const close = async ({ root, log }: { root: LmdbRoot; log: ReturnType<typeof createEmbeddedLog> }) => {
    await log.close()
    await root.close()
  }
  let current = await open(join(base, 'log'))
  return {
    log: current.log,
    reopen: async () => {
      await close(current)
      current = await open(join(base, 'log'))
      return current.log
    },
    // What a killed process leaves behind: the file as it is now.
    crash: async () => {
      await cp(join(base, 'log', 'data.mdb'), join(base, 'left', 'data.mdb'))
      await close(current)
      current = await open(join(base, 'left'))
      return current.log
    },
    dispose: async () => {
      await close(current)
      await rm(base, { recursive: true })
    },
  }
})
