import { columnStoreSuite } from '@millrace/ports/suites'
import { beforeAll, describe } from 'vitest'
import { buildEngine, startEngineProcess } from '../support/engine.ts'

describe('over HTTP, on the engine in a process of its own', () => {
  beforeAll(buildEngine, 300_000)

  for (const [name, options] of [['plain', {}], ['with inserts as gzip', { gzipBytesMin: 0 }]] as const) {
    columnStoreSuite(`server, ${name}`, async () => {
      const engine = await startEngineProcess()
      const store = engine.store(options)
      return {
        store,
        dispose: async () => {
          await store.close()
          await engine.remove()
        },
      }
    })
  }
})
