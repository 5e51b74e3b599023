import { columnStoreSuite } from '@millrace/ports/suites'
import { describe } from 'vitest'
import { openRealServer, realServer, startEngineProcess } from '../support/engine.ts'

/** Inserts as gzip differ in one header; the whole contract over them is for the long form. */
const VARIANTS = [['plain', {}], ['with inserts as gzip', { gzipBytesMin: 0 }]] as const
const variants = process.env['MILLRACE_LONG'] === '1' ? VARIANTS : VARIANTS.slice(0, 1)
if (variants.length < VARIANTS.length) process.stdout.write('SKIPPED the contract of the column store with inserts as gzip: MILLRACE_LONG=1 runs it\n')

describe('over HTTP, on the engine in a process of its own', () => {
  for (const [name, options] of variants) {
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
