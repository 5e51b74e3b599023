import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Batch, EventLog, StateWrite } from '@millrace/ports'
import * as fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { createEmbeddedHotStore } from '../hot-store/embedded.ts'
import { openLmdb, type LmdbRoot } from '../lmdb/open.ts'
import { createEmbeddedLog } from './embedded.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 6)
const RUNS = Number(process.env['MILLRACE_RUNS'] ?? 60)
const TOPICS = [{ name: 'in', partitions: 2 }, { name: 'out', partitions: 2 }]

const partition = fc.constantFrom(0, 1)
const operation = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), records: fc.array(fc.tuple(partition, fc.string({ maxLength: 30 })), { maxLength: 8 }) }),
  fc.record({
    kind: fc.constant('consume' as const), batchRecordsMax: fc.integer({ min: 1, max: 5 }), batchBytesMax: fc.integer({ min: 1, max: 100 }),
    back: fc.integer({ min: 0, max: 4 }), failAt: fc.option(fc.integer({ min: 0, max: 5 })),
  }),
  fc.record({ kind: fc.constant('read' as const), partition, from: fc.integer({ min: 0, max: 30 }), recordsMax: fc.integer({ min: 1, max: 5 }), bytesMax: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant('reopen' as const) }),
)
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never

interface Model {
  readonly input: string[][]
  /** The group's position in each partition. */
  readonly committed: number[]
}

const bytes = (text: string): Buffer => Buffer.from(text)
const text = (value: Uint8Array): string => Buffer.from(value).toString()

const append = async (log: EventLog, model: Model, records: readonly (readonly [number, string])[]): Promise<void> => {
  await log.append(records.map(([place, value]) => ({ topic: 'in', partition: place, value: bytes(value) })))
  for (const [place, value] of records) model.input[place]!.push(value)
}

const read = async (log: EventLog, model: Model, step: Extract<Operation, { kind: 'read' }>): Promise<void> => {
  const wanted: string[] = []
  let size = 0
  for (const value of model.input[step.partition]!.slice(step.from, step.from + step.recordsMax)) {
    size += bytes(value).length
    if (wanted.length > 0 && size > step.bytesMax) break
    wanted.push(value)
  }
  const found = await log.read('in', step.partition, step.from, step)
  expect(found.map(({ value }) => text(value))).toEqual(wanted)
  expect(found.map(({ offset }) => offset)).toEqual(wanted.map((_, index) => step.from + index))
}

// Copies what is new, starts some records back, and fails once in the middle when it is told to.
const consume = async (log: EventLog, model: Model, step: Extract<Operation, { kind: 'consume' }>): Promise<void> => {
  let failAt = step.failAt
  const seen = [0, 1].map((): Batch[] => [])
  const faults: unknown[] = []
  const subscription = await log.consume({
    group: 'copy', topics: ['in'], batchRecordsMax: step.batchRecordsMax, batchBytesMax: step.batchBytesMax, lingerMs: 0,
    open: async ({ partition: place, committed }) => {
      seen[place] = []
      return {
        from: Math.max(0, committed.offset - step.back),
        handle: async (batch) => {
          if (failAt !== null && failAt-- === 0) throw new Error('told to fail')
          seen[place]!.push(batch)
          const state: StateWrite = { scope: `copy:${place}`, watermark: batch.end, puts: [['end', batch.end]], deletes: [], timers: [] }
          const outputs = batch.records.map(({ value }) => ({ topic: 'out', partition: place, value }))
          return batch.replayed ? { outputs } : { outputs, state }
        },
        close: async () => {},
      }
    },
    onFault: (error) => faults.push(error),
  })
  await subscription.drain()
  await subscription.stop()
  expect(faults.length).toBeLessThanOrEqual(1)
  for (const place of [0, 1]) checkBatches(seen[place]!, model, place, step)
  model.input.forEach((values, place) => (model.committed[place] = values.length))
}

const checkBatches = (batches: readonly Batch[], model: Model, place: number, step: { batchRecordsMax: number; batchBytesMax: number }): void => {
  const records = batches.flatMap((batch) => batch.records)
  expect(records.map(({ value }) => text(value))).toEqual(records.length === 0 ? [] : model.input[place]!.slice(-records.length))
  for (const batch of batches) {
    expect(batch.records.length).toBeLessThanOrEqual(step.batchRecordsMax)
    expect(batch.records.length === 1 || batch.records.reduce((sum, { value }) => sum + value.length, 0) <= step.batchBytesMax).toBe(true)
    // No batch straddles the position as it was when the partition was opened: one is replayed or new as a whole.
    if (batch.replayed) expect(batches.filter(({ replayed }) => !replayed).every(({ end }) => end > batch.end)).toBe(true)
  }
}

const checkAll = async (root: LmdbRoot, log: EventLog, model: Model): Promise<void> => {
  const hot = createEmbeddedHotStore({ root, clock: { now: () => 0, after: () => () => {} } })
  for (const place of [0, 1]) {
    const all = (topic: string) => log.read(topic, place, 0, { recordsMax: Infinity, bytesMax: Infinity })
    expect((await all('in')).map(({ value }) => text(value))).toEqual(model.input[place])
    const copied = model.input[place]!.slice(0, model.committed[place])
    expect((await all('out')).map(({ value }) => text(value))).toEqual(copied)
    expect((await log.committed('copy', 'in', place)).offset).toBe(copied.length)
    expect(await hot.watermark(`copy:${place}`)).toBe(copied.length === 0 ? null : copied.length)
  }
  await hot.close()
}

const folder = await mkdtemp(join(tmpdir(), 'millrace-log-property-'))
afterAll(() => rm(folder, { recursive: true }))

it(`behaves like arrays under any sequence of appends, reads, copies, faults and restarts (seed ${SEED})`, async () => {
  let cases = 0
  let steps = 0
  const property = fc.asyncProperty(fc.array(operation, { minLength: 3, maxLength: 20, size: 'max' }), async (operations) => {
    const dir = join(folder, String(cases++))
    const open = async () => {
      const root = await openLmdb(dir, { syncMode: 'os', commitEveryMs: 0 })
      return { root, log: createEmbeddedLog({ root, topics: TOPICS, backOff: { firstMs: 1, mostMs: 1 } }) }
    }
    const model: Model = { input: [[], []], committed: [0, 0] }
    let { root, log } = await open()
    try {
      for (const step of operations) {
        steps++
        if (step.kind === 'append') await append(log, model, step.records)
        else if (step.kind === 'read') await read(log, model, step)
        else if (step.kind === 'consume') await consume(log, model, step)
        else {
          await log.close()
          await root.close()
          ;({ root, log } = await open())
        }
      }
      await checkAll(root, log, model)
    } finally {
      await log.close()
      await root.close()
    }
  })
  await fc.assert(property, { seed: SEED, numRuns: RUNS })
  expect(cases).toBeGreaterThanOrEqual(RUNS)
  process.stdout.write(`log against arrays: ${cases} cases, ${steps} operations, seed ${SEED}\n`)
})
