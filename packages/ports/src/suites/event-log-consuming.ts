import { topics } from '@millrace/contracts'
import { expect, it } from 'vitest'
import type { Batch } from '../event-log.ts'
import { appendTexts, eventually, numbered, readAll, record, textOf, textsOf, watch } from './consumers.ts'
import type { SuiteContext } from './event-log.ts'

const ACCEPTED = topics.accepted.name
const REJECTED = topics.rejected.name
const RESOLVED = topics.resolved.name

/** Batches: order, bounds, linger, outputs, faults. */
export const consumingSuite = (context: SuiteContext): void => {
  it('hands over every record of every partition once, in the order of its partition', async () => {
    const { log } = context.fixture
    for (const partition of [0, 1, 2, 3]) await appendTexts(log, ACCEPTED, partition, numbered(`p${partition}-`, 10))
    const watched = watch('readers', ACCEPTED, { batchRecordsMax: 3 })
    const subscription = await log.consume(watched.options)
    await subscription.drain()
    await appendTexts(log, ACCEPTED, 1, ['p1-late'])
    await subscription.drain()
    await subscription.stop()
    for (const partition of [0, 1, 2, 3]) {
      const late = partition === 1 ? ['p1-late'] : []
      const seen = watched.batches.flatMap(({ records }) => records.filter((found) => found.partition === partition))
      expect(textsOf(seen)).toEqual([...numbered(`p${partition}-`, 10), ...late])
    }
    expect(watched.faults).toEqual([])
  })

  it('wakes a consumer when something is appended', async () => {
    const { log } = context.fixture
    const watched = watch('woken', REJECTED)
    const subscription = await log.consume(watched.options)
    await subscription.drain()
    await appendTexts(log, REJECTED, 0, ['hello'])
    await eventually(() => watched.texts().includes('hello'))
    await subscription.stop()
    expect(watched.texts()).toEqual(['hello'])
  })

  it('hands over one batch at a time, within the bounds, and says when it caught up', async () => {
    const { log } = context.fixture
    await appendTexts(log, REJECTED, 0, [...numbered('r', 7), 'x'.repeat(900), 'y'.repeat(400), 'z'.repeat(400)])
    let running = 0
    const handle = async (): Promise<{ outputs: [] }> => {
      expect(++running).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running--
      return { outputs: [] }
    }
    const watched = watch('bounded', REJECTED, { batchRecordsMax: 4, batchBytesMax: 700, handle })
    const subscription = await log.consume(watched.options)
    await subscription.drain()
    await subscription.stop()
    expect(watched.texts()).toHaveLength(10)
    for (const { records } of watched.batches) {
      const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
      expect(records.length).toBeLessThanOrEqual(4)
      expect(bytes <= 700 || records.length === 1).toBe(true)
    }
    const full = watched.batches.filter(({ records }) => records.length > 0)
    expect(full.at(-1)!.caughtUp).toBe(true)
    expect(full[0]!.caughtUp).toBe(false)
    expect(full.every(({ replayed }) => !replayed)).toBe(true)
  })

  it('lets a batch fill for the linger, and hands it over when it is full', async () => {
    const { log } = context.fixture
    const watched = watch('lingering', REJECTED, { batchRecordsMax: 3, lingerMs: 20_000 })
    const subscription = await log.consume(watched.options)
    await subscription.drain()
    await appendTexts(log, REJECTED, 0, numbered('r', 3))
    await eventually(() => watched.texts().length === 3, 15_000)
    expect(watched.batches.filter(({ records }) => records.length > 0)).toHaveLength(1)
    await subscription.stop()
  })

  it('makes outputs and position visible together, once', async () => {
    const { log } = context.fixture
    for (const partition of [0, 1, 2, 3]) await appendTexts(log, ACCEPTED, partition, numbered(`p${partition}-`, 8))
    const watched = watch('passing-on', ACCEPTED, { batchRecordsMax: 3, handle: passOn })
    const subscription = await log.consume(watched.options)
    await subscription.drain()
    await subscription.stop()
    for (const partition of [0, 1, 2, 3]) {
      expect(textsOf(await readAll(log, RESOLVED, partition))).toEqual(numbered(`p${partition}-`, 8))
    }
  })

  it('opens a partition again after a fault, from what is stored, with no output twice', async () => {
    const { log } = context.fixture
    for (const partition of [0, 1]) await appendTexts(log, ACCEPTED, partition, numbered(`p${partition}-`, 6))
    let failures = 0
    const handle = (batch: Batch): ReturnType<typeof passOn> => {
      if (batch.records.some((found) => textOf(found) === 'p0-4') && failures++ < 2) throw new Error('the handler failed')
      return passOn(batch)
    }
    const watched = watch('failing', ACCEPTED, { batchRecordsMax: 2, handle })
    const subscription = await log.consume(watched.options)
    await subscription.drain()
    expect(watched.faults).toHaveLength(2)
    expect(watched.closed).toBeGreaterThanOrEqual(2)
    await subscription.stop()
    expect(watched.closed).toBe(watched.opened.length)
    for (const partition of [0, 1]) {
      expect(textsOf(await readAll(log, RESOLVED, partition))).toEqual(numbered(`p${partition}-`, 6))
    }
  })

  it('opens a partition again when it could not be opened', async () => {
    const { log } = context.fixture
    await appendTexts(log, REJECTED, 0, ['r'])
    let failures = 0
    const watched = watch('not-opened', REJECTED)
    const open: typeof watched.options.open = (assignment) => {
      if (failures++ < 1) throw new Error('no state')
      return watched.options.open(assignment)
    }
    const subscription = await log.consume({ ...watched.options, open })
    await subscription.drain()
    await subscription.stop()
    expect(watched.texts()).toEqual(['r'])
    expect(watched.faults).toHaveLength(1)
  })

  it('goes on in the other partitions while one fails', async () => {
    const { log } = context.fixture
    await log.append([record(ACCEPTED, 0, 'poison'), record(ACCEPTED, 1, 'good')])
    let cured = false
    const handle = ({ records }: Batch): { outputs: [] } => {
      if (!cured && records.some((found) => textOf(found) === 'poison')) throw new Error('poison')
      return { outputs: [] }
    }
    const watched = watch('half', ACCEPTED, { handle })
    const subscription = await log.consume(watched.options)
    await eventually(() => watched.texts().includes('good'))
    cured = true
    await subscription.drain()
    await subscription.stop()
    expect(watched.texts().sort()).toEqual(['good', 'poison'])
  })
}

const passOn = ({ records }: Batch): { outputs: ReturnType<typeof record>[] } => ({
  outputs: records.map((found) => record(RESOLVED, found.partition, textOf(found))),
})
