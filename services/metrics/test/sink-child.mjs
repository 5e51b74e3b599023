// One life of a sink: opens the folder, stores what the log holds, and ends itself with SIGKILL where it is told to.
// Runs from the built packages, since a child process has no test runner around it.
import { createChdbStore, createEmbeddedHotStore, createEmbeddedLog, createSystemClock, openLmdb } from '@millrace/adapters'
import { DECLARED, createReceivedCounter, sinkConsumer } from '@millrace/metrics'
import { migrate } from '@millrace/warehouse'
import { strategies } from './sink-strategies.mjs'

const { dir, batchRecordsMax, killAt, killAfter, strategy } = JSON.parse(process.argv[2])

let hits = 0
const probe = (point) => {
  if (killAt !== '*' && !point.startsWith(killAt)) return
  if (++hits < killAfter) return
  process.stdout.write(`${point}\n`, () => process.kill(process.pid, 'SIGKILL'))
  // Nothing of this process may go on behind the point.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
  process.kill(process.pid, 'SIGKILL')
}

const root = await openLmdb(`${dir}/log`, { syncMode: 'os', probe })
const log = createEmbeddedLog({ root })
const hot = createEmbeddedHotStore({ root, clock: createSystemClock() })
const columns = createChdbStore({ path: `${dir}/store` })
await migrate(columns)
const project = { id: 1, name: 'test', zone: 'UTC', currency: 'USD', identity: { blockedValues: [], types: [] } }
const onFault = (error) => process.stderr.write(`${error?.stack ?? error}\n`)
const sink = await log.consume(
  sinkConsumer(
    { columns, projectOf: async () => project, onFault, probe, strategy: { ...DECLARED, ...strategies[strategy] } },
    { lingerMs: 0, batchRecordsMax, batchBytesMax: 1 << 24 },
  ),
)
const counter = await log.consume(createReceivedCounter({ hot, onFault }, ['events.accepted', 'events.rejected']))
await Promise.all([sink.drain(), counter.drain()])
await sink.stop()
await counter.stop()
await columns.close()
await hot.close()
await log.close()
await root.close()
process.stdout.write('drained\n')
