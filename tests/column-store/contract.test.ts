import { columnStoreSuite } from '@millrace/ports/suites'
import { beforeAll, describe } from 'vitest'
import { buildEngine, openRealServer, realServer, startEngineProcess } from '../support/engine.ts'

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

if (realServer === undefined) process.stdout.write('SKIPPED the column store on a ClickHouse server: MILLRACE_TEST_CLICKHOUSE_URL is not set\n')
else {
  const address = realServer
  columnStoreSuite('ClickHouse server', async () => {
    const store = await openRealServer(address)
    return { store, dispose: store.close }
  })
}
