import { topics } from '@millrace/contracts'
import { expect, it } from 'vitest'
import type { EventLog, LogRecord } from '../event-log.ts'
import { appendTexts, numbered, readAll, record, textOf, textsOf, watch, type WatchOptions, type Watched } from './consumers.ts'
import type { SuiteContext } from './event-log.ts'

const TOPIC = topics.rejected.name
const OUTPUT = topics.map.name

/** Positions, metadata, declared batches, replay, stop. */
export const positionsSuite = (context: SuiteContext): void => {
  it('gives each group a position of its own, from the start of the log', async () => {
    const { log } = context.fixture
    await appendTexts(log, TOPIC, 0, numbered('r', 4))
    expect(await log.committed('one', TOPIC, 0)).toEqual({ offset: (await log.extents(TOPIC))[0]!.first, metadata: '' })
    const one = await consumeAll(log, 'one')
    await appendTexts(log, TOPIC, 0, ['later'])
    const two = await consumeAll(log, 'two')
    expect(one.texts()).toEqual(numbered('r', 4))
    expect(two.texts()).toEqual([...numbered('r', 4), 'later'])
    const last = (await readAll(log, TOPIC, 0)).at(-1)!
    expect((await log.committed('two', TOPIC, 0)).offset).toBeGreaterThan(last.offset)
    expect((await log.committed('one', TOPIC, 0)).offset).toBeLessThanOrEqual(last.offset)
  })

  it('goes on where the group stopped, also after it is opened again', async () => {
    const { log } = context.fixture
    await appendTexts(log, TOPIC, 0, numbered('a', 3))
    await consumeAll(log, 'going-on')
    await appendTexts(log, TOPIC, 0, numbered('b', 3))
    const again = await context.fixture.reopen()
    expect((await consumeAll(again, 'going-on')).texts()).toEqual(numbered('b', 3))
  })

  it('hands over nothing more after stop, and has stored what was handled', async () => {
    const { log } = context.fixture
    await appendTexts(log, TOPIC, 0, numbered('a', 3))
    const first = watch('stopping', TOPIC, { batchRecordsMax: 1 })
    const subscription = await log.consume(first.options)
    await subscription.stop()
    const seen = first.texts().length
    await appendTexts(log, TOPIC, 0, ['after'])
    expect(first.texts()).toHaveLength(seen)
    const second = await consumeAll(log, 'stopping')
    expect([...first.texts(), ...second.texts()]).toEqual([...numbered('a', 3), 'after'])
  })

  it('keeps the metadata of the newest step with its position', async () => {
    const { log } = context.fixture
    await appendTexts(log, TOPIC, 0, ['r'])
    await consumeAll(log, 'noting', { handle: () => ({ outputs: [], metadata: '{"note":"ä"}' }) })
    const again = await context.fixture.reopen()
    expect((await again.committed('noting', TOPIC, 0)).metadata).toBe('{"note":"ä"}')
    await appendTexts(again, TOPIC, 0, ['s'])
    await consumeAll(again, 'noting')
    expect((await again.committed('noting', TOPIC, 0)).metadata).toBe('')
  })

  it('stores a declaration at the same position before the step', async () => {
    const { log } = context.fixture
    await appendTexts(log, TOPIC, 0, numbered('r', 3))
    const before = await log.committed('declaring', TOPIC, 0)
    const declared: unknown[] = []
    const watched = watch('declaring', TOPIC)
    const subscription = await log.consume({
      ...watched.options,
      open: async (assignment) => ({
        ...(await watched.options.open(assignment)),
        handle: async ({ end }) => {
          await assignment.declare(`{"until":${end}}`)
          declared.push(await log.committed('declaring', TOPIC, 0), end)
          return { outputs: [] }
        },
      }),
    })
    await subscription.drain()
    await subscription.stop()
    expect(declared[0]).toEqual({ offset: before.offset, metadata: `{"until":${String(declared[1])}}` })
    const after = await log.committed('declaring', TOPIC, 0)
    expect(after.metadata).toBe('')
    expect(after.offset).toBeGreaterThan(before.offset)
  })

  it('shows a declaration to the next who opens the partition, who takes just this batch', async () => {
    const { log } = context.fixture
    await appendTexts(log, TOPIC, 0, numbered('r', 9))
    const until = (await readAll(log, TOPIC, 0))[5]!.offset + 1
    await declareAndFail(log, 'redoing', until)
    const watched = await consumeAll(log, 'redoing', { batchRecordsMax: 2, firstBatchEnd: until })
    expect(watched.opened[0]!.metadata).toBe(`{"until":${until}}`)
    expect(watched.batches[0]!.end).toBe(until)
    expect(textsOf(watched.batches[0]!.records)).toEqual(numbered('r', 6))
    expect(watched.texts()).toEqual(numbered('r', 9))
  })

  it('replays from below the position: split there, outputs dropped, nothing skipped', async () => {
    const { log } = context.fixture
    await appendTexts(log, TOPIC, 0, numbered('a', 7))
    await consumeAll(log, 'folding', { handle: toOutput })
    await appendTexts(log, TOPIC, 0, numbered('b', 4))
    const { offset } = await log.committed('folding', TOPIC, 0)
    const from = (await readAll(log, TOPIC, 0))[2]!.offset
    const again = await consumeAll(log, 'folding', { from, batchRecordsMax: 4, handle: toOutput })
    const texts = (replayed: boolean): string[] =>
      again.batches.filter((batch) => batch.replayed === replayed).flatMap(({ records }) => textsOf(records))
    expect(texts(true)).toEqual(numbered('a', 7).slice(2))
    expect(texts(false)).toEqual(numbered('b', 4))
    expect(Math.max(...again.batches.filter(({ replayed }) => replayed).map(({ end }) => end))).toBe(offset)
    expect(textsOf(await readAll(log, OUTPUT, 0))).toEqual([...numbered('a', 7), ...numbered('b', 4)])
  })

  it('tells the consumer after its step is stored', async () => {
    const { log } = context.fixture
    await appendTexts(log, TOPIC, 0, numbered('r', 3))
    const positions: boolean[] = []
    const watched = watch('telling', TOPIC)
    const pending: Promise<void>[] = []
    const subscription = await log.consume({
      ...watched.options,
      open: async (assignment) => ({
        ...(await watched.options.open(assignment)),
        stored: ({ end }) => {
          pending.push(log.committed('telling', TOPIC, 0).then(({ offset }) => void positions.push(offset >= end)))
        },
      }),
    })
    await subscription.drain()
    await subscription.stop()
    await Promise.all(pending)
    expect(positions.length).toBeGreaterThan(0)
    expect(positions.every(Boolean)).toBe(true)
  })
}

const toOutput = ({ records }: { records: readonly LogRecord[] }) => ({
  outputs: records.map((found) => record(OUTPUT, 0, textOf(found))),
})

const consumeAll = async (log: EventLog, group: string, options: WatchOptions = {}): Promise<Watched> => {
  const watched = watch(group, TOPIC, options)
  const subscription = await log.consume(watched.options)
  await subscription.drain()
  await subscription.stop()
  return watched
}

const declareAndFail = async (log: EventLog, group: string, until: number): Promise<void> => {
  const watched = watch(group, TOPIC)
  let declared: () => void
  const done = new Promise<void>((resolve) => (declared = resolve))
  const subscription = await log.consume({
    ...watched.options,
    open: async (assignment) => ({
      ...(await watched.options.open(assignment)),
      handle: async () => {
        await assignment.declare(`{"until":${until}}`)
        declared()
        throw new Error('stopped between declaration and step')
      },
    }),
  })
  await done
  await subscription.stop()
}
