import { topics } from '@millrace/contracts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogUnavailable, type EventLog } from '../event-log.ts'
import { appendTexts, numbered, readAll, record, textsOf } from './consumers.ts'
import { consumingSuite } from './event-log-consuming.ts'
import { positionsSuite } from './event-log-positions.ts'

/** A log under test. It starts empty, with the topics of the contracts. */
export interface EventLogFixture {
  readonly log: EventLog
  /** Closes the log and opens it again over the same data. */
  reopen(): Promise<EventLog>
  /** As `reopen`, but nothing is closed properly. */
  crash?(): Promise<EventLog>
  /** Closes the newest log and removes its data. */
  dispose(): Promise<void>
}

/** `waitingBytesMax` bounds what may wait to be committed. */
export type MakeEventLog = (options: { waitingBytesMax?: number }) => Promise<EventLogFixture>

export interface SuiteContext {
  fixture: EventLogFixture
}

const ACCEPTED = topics.accepted.name
const REJECTED = topics.rejected.name

/** What every event log promises, whatever it is made of. Offsets may have gaps. */
export const eventLogSuite = (name: string, make: MakeEventLog): void => {
  describeLog('event log', name, make, [appendingSuite, boundsSuite, consumingSuite, positionsSuite])
  describe(`event log under pressure: ${name}`, () => {
    pressureSuite(make)
  })
}

/** The part of it about appends, for what stands before a log and hands the rest on. */
export const eventLogAppendSuite = (name: string, make: MakeEventLog): void =>
  describeLog('appends to the event log', name, make, [appendingSuite, boundsSuite])

const describeLog = (what: string, name: string, make: MakeEventLog, suites: readonly ((context: SuiteContext) => void)[]): void => {
  describe(`${what}: ${name}`, () => {
    const context = {} as SuiteContext
    beforeEach(async () => {
      context.fixture = await make({})
    })
    afterEach(() => context.fixture.dispose())
    for (const suite of suites) suite(context)
  })
}

const appendingSuite = (context: SuiteContext): void => {
  it('gives back the bytes of each partition in the order of the appends', async () => {
    const { log } = context.fixture
    await log.append([record(ACCEPTED, 0, 'a0'), record(ACCEPTED, 1, 'b0'), record(ACCEPTED, 0, 'a1')])
    await appendTexts(log, ACCEPTED, 0, ['a2', 'ä3', ''])
    expect(textsOf(await readAll(log, ACCEPTED, 0))).toEqual(['a0', 'a1', 'a2', 'ä3', ''])
    expect(textsOf(await readAll(log, ACCEPTED, 1))).toEqual(['b0'])
  })

  it('takes any bytes as a value', async () => {
    const { log } = context.fixture
    const value = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256)
    await log.append([{ topic: REJECTED, partition: 0, value }])
    const [found] = await readAll(log, REJECTED, 0)
    expect(Buffer.compare(found!.value, value)).toBe(0)
  })

  it('names all partitions of a topic, empty ones too, and offsets only grow', async () => {
    const { log } = context.fixture
    const before = await log.extents(ACCEPTED)
    expect(before.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
    await appendTexts(log, ACCEPTED, 2, ['x', 'y'])
    const after = await log.extents(ACCEPTED)
    expect(after[2]!.next).toBeGreaterThanOrEqual(before[2]!.next + 2)
    expect(after[1]).toEqual(before[1])
    const [x, y] = await readAll(log, ACCEPTED, 2)
    expect(y!.offset).toBeGreaterThan(x!.offset)
    expect(after[2]!.next).toBeGreaterThan(y!.offset)
  })

  it('refuses an append as a whole when one record has no place', async () => {
    const { log } = context.fixture
    await expect(log.append([record(ACCEPTED, 0, 'good'), record(ACCEPTED, 99, 'bad')])).rejects.toThrow('no partition 99')
    expect(await readAll(log, ACCEPTED, 0)).toEqual([])
  })

  it('has everything after it is opened again, and goes on behind it', async () => {
    await appendTexts(context.fixture.log, ACCEPTED, 3, numbered('r', 5))
    const again = await context.fixture.reopen()
    await appendTexts(again, ACCEPTED, 3, ['later'])
    expect(textsOf(await readAll(again, ACCEPTED, 3))).toEqual([...numbered('r', 5), 'later'])
  })

  it('has what it acknowledged after a crash', async ({ skip }) => {
    if (!context.fixture.crash) return skip('this log is not crashed from here')
    await appendTexts(context.fixture.log, ACCEPTED, 3, numbered('r', 5))
    const again = await context.fixture.crash()
    expect(textsOf(await readAll(again, ACCEPTED, 3))).toEqual(numbered('r', 5))
  })

  it('says that it is ready, and refuses with LOG_CLOSED when it is closed', async () => {
    const { log } = context.fixture
    await log.ready()
    await log.close()
    await expect(log.append([record(ACCEPTED, 0, 'late')])).rejects.toMatchObject({ name: 'LogUnavailable', code: 'LOG_CLOSED' })
    await expect(log.ready()).rejects.toBeInstanceOf(LogUnavailable)
  })
}

const boundsSuite = (context: SuiteContext): void => {
  it('reads at most as many records as asked, from the offset asked', async () => {
    const { log } = context.fixture
    await appendTexts(log, ACCEPTED, 0, numbered('r', 6))
    const all = await readAll(log, ACCEPTED, 0)
    const some = await log.read(ACCEPTED, 0, all[2]!.offset, { recordsMax: 3, bytesMax: 1_000_000 })
    expect(textsOf(some)).toEqual(['r2', 'r3', 'r4'])
    expect(await log.read(ACCEPTED, 0, all[5]!.offset + 1, { recordsMax: 3, bytesMax: 1_000_000 })).toEqual([])
  })

  it('reads at most as many bytes as asked, but one record always comes', async () => {
    const { log } = context.fixture
    await appendTexts(log, ACCEPTED, 0, ['x'.repeat(600), 'y'.repeat(300), 'z'.repeat(300)])
    const all = await readAll(log, ACCEPTED, 0)
    const read = (from: number) => log.read(ACCEPTED, 0, from, { recordsMax: 10, bytesMax: 500 })
    expect((await read(all[0]!.offset)).map(({ value }) => value.length)).toEqual([600])
    expect((await read(all[1]!.offset)).map(({ value }) => value.length)).toEqual([300])
  })
}

const pressureSuite = (make: MakeEventLog): void => {
  it('answers LOG_BUSY before it holds more than it may, and keeps all it acknowledged', async () => {
    const fixture = await make({ waitingBytesMax: 200_000 })
    try {
      const sent = numbered('r', 200).map((text) => text.padEnd(10_000, '.'))
      const outcomes = await Promise.allSettled(sent.map((text) => fixture.log.append([record(ACCEPTED, 0, text)])))
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
      expect(refused.length).toBeGreaterThan(0)
      for (const error of refused) expect(error).toMatchObject({ name: 'LogUnavailable', code: 'LOG_BUSY' })
      const acknowledged = sent.filter((_, index) => outcomes[index]!.status === 'fulfilled')
      expect(acknowledged.length).toBeGreaterThan(0)
      expect(textsOf(await readAll(fixture.log, ACCEPTED, 0)).sort()).toEqual([...acknowledged].sort())
      await fixture.log.ready()
      await appendTexts(fixture.log, ACCEPTED, 1, ['after'])
    } finally {
      await fixture.dispose()
    }
  })
}
