import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedLog, openLmdb } from '@millrace/adapters'
import { chanceFrom, type Project } from '@millrace/contracts'
import { sinkConsumer } from '@millrace/metrics'
import { migrate } from '@millrace/warehouse'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { COUNTS, fill, rowsOf } from '../../services/metrics/test/sink-log.ts'
import { startEngineProcess, type EngineProcess } from '../support/engine.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 7)
const KILLS = Number(process.env['MILLRACE_KILLS'] ?? (process.env['MILLRACE_LONG'] === '1' ? 20 : 2))

const dir = mkdtempSync(join(tmpdir(), 'millrace-sink-server-'))
let engine: EngineProcess
beforeAll(async () => {
  engine = await startEngineProcess()
})
afterAll(async () => {
  await engine?.remove()
  rmSync(dir, { recursive: true, force: true })
})

it(`stores everything once while the server is killed ${KILLS} times amid inserts and the sink lives on (P1, P2, seed ${SEED})`, async () => {
  const expected = await fill(dir, SEED)
  const { below } = chanceFrom(SEED * 31)
  const inserts = listenTo()
  const columns = engine.store({ attemptsMax: 2, probe: inserts.probe })
  await migrate(columns)
  const root = await openLmdb(join(dir, 'log'), { syncMode: 'os' })
  const log = createEmbeddedLog({ root })
  const project = { id: 1, name: 'test', zone: 'UTC', currency: 'USD', identity: { blockedValues: [], types: [] } } as unknown as Project
  const faults: string[] = []
  const sink = await log.consume(sinkConsumer(
    { columns, projectOf: async () => project, onFault: (error) => faults.push((error as Error).message) },
    { lingerMs: 0, batchRecordsMax: 3, batchBytesMax: 1 << 24 },
  ))
  for (let kill = 0; kill < KILLS; kill++) {
    for (let skip = below(6); skip >= 0; skip--) await inserts.begun()
    await new Promise((resolve) => setTimeout(resolve, below(40)))
    await engine.kill()
    await engine.start()
  }
  await sink.drain()
  const [row] = await columns.query<Record<string, unknown>>(COUNTS)
  process.stdout.write(`sink over HTTP: ${expected.events} events, ${KILLS} kills of the server, ${faults.length} faults met by the sink\n`)
  expect(Object.fromEntries(Object.entries(row!).map(([name, value]) => [name, Number(value)]))).toEqual(rowsOf(expected))
  expect(faults.length).toBeGreaterThan(0)
  await sink.stop()
  await log.close()
  await root.close()
  await columns.close()
})

/** Lets the test wait for the next insert that sets out; when all are in, there is nothing to wait for. */
const listenTo = () => {
  let waiting: (() => void)[] = []
  const probe = (point: string): void => {
    if (!point.startsWith('store.insert.before')) return
    for (const resolve of waiting.splice(0)) resolve()
  }
  return { probe, begun: () => new Promise<void>((resolve) => void (waiting = [...waiting, resolve])) }
}
