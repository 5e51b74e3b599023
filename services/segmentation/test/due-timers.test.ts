import { createZones, encodeRecord, decodeRecord, type FlipLine, personIdOf, project as projectSchema, type ResolvedLine, topics } from '@millrace/contracts'
import type { EventLog, HotStore, LogRecord, NewRecord, Timer } from '@millrace/ports'
import { createLogger } from '@millrace/service-kit'
import { describe, expect, it } from 'vitest'
import { openPartition } from '../src/handlers/partition.ts'
import { watchTimers } from '../src/jobs/timers.ts'
import { createTestClock } from './clock.ts'
import { createMemoryScope } from './memory-scope.ts'

const START = Date.UTC(2024, 2, 29)
const DAY_MS = 86_400_000
const MANY = 2_500
const project = projectSchema.parse({ id: 1, name: 'shop', zone: 'UTC', currency: 'EUR', writeKeys: [], apiKeys: [], identity: {} })

const recordOf = (offset: number, lines: readonly ResolvedLine[], receivedAt: number | null): LogRecord => {
  const origins = receivedAt === null ? [] : [{ source: 'web', protocol: 'segment', receivedAt, sentAt: null, events: lines.length, repeats: 0 }]
  const value = encodeRecord({ kind: 'resolved', project: 1, count: 0, origins }, lines.map((line) => JSON.stringify(line)))
  return { topic: topics.resolved.name, partition: 0, offset, value }
}
const rule: readonly ResolvedLine[] = [
  { type: 'rule.changed', segment: 's', version: 1, name: 'n', rule: { did: { event: 'Viewed', window: { last: '1d' } } }, at: START },
  ...Array.from({ length: 4 }, (_, from): ResolvedLine => ({ type: 'backfill.completed', segment: 's', version: 1, from })),
]
const views = Array.from({ length: MANY }, (_, n): ResolvedLine => ({
  type: 'event', origin: 0, key: `user_id:u${n}`, number: n * 64, epoch: 0, person: personIdOf(1, `user_id:u${n}`), place: [0, 0, n],
  event: { type: 'track', event: 'Viewed', messageId: `m${n}`, userId: `u${n}`, timestamp: new Date(START + (n % 100)).toISOString() },
}))
const told = (outputs: readonly NewRecord[]): readonly FlipLine[] =>
  outputs.flatMap(({ value }) => decodeRecord(value).lines().map((line) => JSON.parse(String(line)) as FlipLine))

/** Everybody is in; then the clock is told a day later, several times over. `cut`: records of one batch. */
const exitsOf = async (cut: number) => {
  const scope = createMemoryScope()
  const partition = await openPartition(
    { projectOf: async () => project, zoneOf: createZones(), peopleCachedMax: 100, peopleBytesMax: 1 << 20, acceptedPartitions: 4, timersPerMoveMax: 600, pause: async () => {} }, scope)
  const records = [
    recordOf(0, rule, START), recordOf(1, views, START + 1_000),
    ...Array.from({ length: 6 }, (_, n) => recordOf(2 + n, [{ type: 'clock.advanced', at: START + 2 * DAY_MS + n }], null)),
  ]
  const steps: (readonly FlipLine[])[] = []
  for (let from = 0; from < records.length; from += cut) {
    const some = records.slice(from, from + cut)
    const { step } = await partition.handle({ records: some, end: some.at(-1)!.offset + 1, replayed: false, caughtUp: false })
    scope.apply(step.state!)
    steps.push(told(step.outputs).filter(({ flip }) => flip === 'exited'))
  }
  return { steps: steps.map((some) => some.length), exits: steps.flat().map(({ person, at }) => `${at} ${person}`), left: await scope.timersDue(Infinity, 9_999) }
}

describe('timers that are due all at once', () => {
  it('fire in bounded steps, the same however the log is cut into batches (P5)', async () => {
    const one = await exitsOf(1)
    expect(one.steps).toEqual([0, 0, 600, 600, 600, 600, 100, 0])
    expect(one.left).toEqual([])
    for (const cut of [2, 3, 8]) expect((await exitsOf(cut)).exits).toEqual(one.exits)
  })
})

describe('the watch over timers', () => {
  it('wakes for a timer that was set while it looked at a later one', async () => {
    const clock = createTestClock(START)
    const appended: number[] = []
    let answer = (_timer: Timer): void => {}
    const looks = [new Promise<Timer>((resolve) => (answer = resolve)), Promise.resolve({ id: 'a', at: START + 1_000 })]
    const hot = { nextTimer: async () => looks.shift() ?? null } as unknown as HotStore
    const log = { append: async () => void appended.push(clock.now()) } as unknown as EventLog
    const watch = watchTimers({ log, hot, clock, logger: createLogger('silent'), projectId: () => 1, probe: () => {} }, 0)
    await clock.moveTo(START)
    watch.stored(START, START + 1_000)
    answer({ id: 'b', at: START + DAY_MS })
    await clock.moveTo(START)
    await clock.moveTo(START + 2_000)
    expect(appended).toEqual([START + 1_000])
    watch.stop()
  })
})
