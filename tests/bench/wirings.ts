import { eventually, startMillrace, type Millrace, type Wiring } from '../support/millrace.ts'
import { stackSkipped } from '../support/stack.ts'
import { p50p99, type Figures } from './figures.ts'
import { load } from './load.ts'
import { backlogOf, untilDrained, untilStored } from './product.ts'
import { benchLinks, benchRecovery } from './recovery.ts'
import { cpuMicros, memoryOf, sleep } from './watch.ts'

export interface WiringSizes {
  /** Sent as fast as they are answered. */
  readonly events: number
  /** Sent at nine tenths of the rate that this gave. */
  readonly steadySeconds: number
  /** Events that wait when a killed service comes again. */
  readonly backlog: number
  readonly links: number
}

const WARM_UP = 40_000
const PEOPLE = 20_000
/** Of what went through as fast as it could: nothing has reserves at all of it. */
const STEADY_SHARE = 0.9
const LOOK_EVERY_MS = 5_000
const MINUTE_MS = 60_000
const RULES = [
  ['buyers', { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 2, window: { last: '30d' } } }],
  ['looking', { did: { event: 'Product Viewed', measure: 'count', op: 'gte', value: 3, window: { last: '1h' } } }],
] as const

/** The whole way of an event, from its 2xx to ClickHouse and the segments, in both wirings: what fits on this machine, and what it costs each process. */
export const benchWirings = async (figures: Figures, sizes: WiringSizes): Promise<void> => {
  for (const wiring of ['embedded', 'stack'] as const) {
    if (wiring === 'stack' && stackSkipped('the figures of the stack')) return
    const millrace = await startMillrace({ wiring })
    try {
      await benchWiring(figures, millrace, wiring, sizes)
    } finally {
      await millrace.stop()
      millrace.remove()
    }
  }
}

const benchWiring = async (figures: Figures, millrace: Millrace, wiring: Wiring, sizes: WiringSizes): Promise<void> => {
  const add = (name: string, value: number | string, unit: string, how: string): void => figures.add(wiring, name, value, unit, how)
  await makeSegments(millrace)
  const { url, writeKey } = millrace
  const sent = { run: 'warm', url, writeKey, people: PEOPLE, batch: 100, connections: 16 }
  // Compilers and caches warm up first.
  await load({ ...sent, events: WARM_UP })
  await untilStored(millrace, WARM_UP)
  await untilDrained(millrace)

  const before = cpuByProcess(millrace)
  const startedAt = performance.now()
  const { accepted, seconds } = await load({ ...sent, run: 'fast', events: sizes.events })
  await untilStored(millrace, WARM_UP + sizes.events)
  const storedSeconds = (performance.now() - startedAt) / 1000
  const drainedSeconds = ((await untilDrained(millrace)) - startedAt) / 1000
  const throughput = sizes.events / drainedSeconds
  const how = `${sizes.events.toLocaleString('en-US')} events of ${PEOPLE.toLocaleString('en-US')} people in batches of 100, two rules; the sender shares the cores`
  add('accepted', accepted / seconds, 'events/s', how)
  add('in ClickHouse', sizes.events / storedSeconds, 'events/s', 'the same, until SQL counts all')
  add('in ClickHouse, segments and profiles', throughput, 'events/s', 'the same, until no consumer has anything left')
  for (const [name, micros] of cpuSince(millrace, before)) add(`CPU of ${name}`, micros / sizes.events, 'µs/event', 'the same')

  await benchSteady(add, millrace, Math.max(100, Math.floor((throughput * STEADY_SHARE) / 100) * 100), sizes.steadySeconds, WARM_UP + sizes.events)
  for (const [name, pid] of pidsOf(millrace)) {
    const { ownMb, residentMb, peakMb } = memoryOf(pid)
    add(`memory of ${name}`, `${ownMb} / ${residentMb} / ${peakMb}`, 'MB', 'own / with mapped files / peak, after all of that')
  }
  if (wiring === 'embedded') return
  await benchLinks(add, millrace, sizes.links)
  await benchRecovery(add, millrace, sizes.backlog)
}

const makeSegments = async (millrace: Millrace): Promise<void> => {
  for (const [name, rule] of RULES) await millrace.api('/api/segments', { name, rule })
  await eventually(() => millrace.api<{ segments: { state: string }[] }>('/api/segments'), ({ segments }) => segments.every(({ state }) => state === 'live'))
}

/** The lag at the rate that fits: it must not grow. */
const benchSteady = async (add: Add, millrace: Millrace, perSecond: number, seconds: number, stored: number): Promise<void> => {
  const { url, writeKey } = millrace
  const before = cpuByProcess(millrace)
  const startedAt = performance.now()
  const state = { done: false }
  const loading = load({ url, writeKey, run: 'steady', people: PEOPLE, batch: 100, connections: 64, perSecond, seconds }).finally(() => (state.done = true))
  const looks: Look[] = []
  while (!state.done) {
    await sleep(LOOK_EVERY_MS)
    looks.push({ minute: Math.floor((performance.now() - startedAt) / MINUTE_MS), ...(await lagNow(millrace)) })
  }
  const { accepted, refused, p50Ms, p99Ms } = await loading
  const endedAt = performance.now()
  await untilStored(millrace, stored + accepted)
  const drained = (await untilDrained(millrace)) - endedAt
  const rate = `at ${perSecond.toLocaleString('en-US')} events/s`
  const how = `${seconds} s, ${accepted.toLocaleString('en-US')} events, ${refused} requests asked to come again; looked at every ${LOOK_EVERY_MS / 1000} s`
  add(`${rate}: records that wait, highest of each minute`, byMinute(looks, ({ records }) => records).join(' / '), 'records', how)
  add(`${rate}: age of the newest event in SQL, highest of each minute`, byMinute(looks, ({ ageMs }) => ageMs).join(' / '), 'ms', 'the same looks')
  add(`${rate}: age of the newest event in SQL, p50 / p99`, p50p99(looks.map(({ ageMs }) => ageMs)), 'ms', 'the same looks')
  add(`${rate}: answers, p50 / p99`, `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)}`, 'ms', 'batches of 100')
  add(`${rate}: all handled after the last answer`, drained / 1000, 's', 'to the second')
  for (const [name, micros] of cpuSince(millrace, before)) add(`${rate}: CPU of ${name}`, micros / accepted, 'µs/event', 'the same')
}

type Add = (name: string, value: number | string, unit: string, how: string) => void

interface Look {
  readonly minute: number
  readonly records: number
  readonly ageMs: number
}

const lagNow = async (millrace: Millrace): Promise<Omit<Look, 'minute'>> => {
  const [row] = await millrace.sql<{ newest: number }>('SELECT toFloat64(toUnixTimestamp64Milli(max(received_at))) AS newest FROM millrace.events')
  const ageMs = Date.now() - row!.newest
  const waiting = await backlogOf(millrace)
  return { ageMs, records: waiting.reduce((sum, { records }) => sum + records, 0) }
}

const byMinute = (looks: readonly Look[], of: (look: Look) => number): readonly number[] => {
  const highest: number[] = []
  for (const look of looks) highest[look.minute] = Math.max(highest[look.minute] ?? 0, of(look))
  return highest
}

/** Of the stack each process of it, and the launcher, which is the front door. */
const pidsOf = (millrace: Millrace): readonly (readonly [string, number])[] =>
  millrace.wiring === 'embedded' ? [['the one process', millrace.pid]] : [...Object.entries(millrace.processes()), ['the front door', millrace.pid]]

const cpuByProcess = (millrace: Millrace): ReadonlyMap<number, number> => new Map(pidsOf(millrace).map(([, pid]) => [pid, cpuMicros(pid)]))

const cpuSince = (millrace: Millrace, before: ReadonlyMap<number, number>): readonly (readonly [string, number])[] =>
  pidsOf(millrace).map(([name, pid]) => [name, cpuMicros(pid) - (before.get(pid) ?? 0)])
