import { personIdOf } from '@millrace/contracts'
import { eventually, startMillrace, type Millrace } from '../support/millrace.ts'
import { p50p99, type Figures } from './figures.ts'
import { load } from './load.ts'
import { eventLoopMaxMs, untilStored } from './product.ts'
import { cpuPercent, sleep } from './watch.ts'

const PER_SECOND = 1_000
const PROBE_EVERY_MS = 250
const PROBE = 'Bench Probe'
const HOT_READS = 1_000

interface Probes {
  readonly inSql: number[]
  readonly inApi: number[]
  readonly inMembers: number[]
}

/** How long after its 2xx an event is in every answer, while 1,000 events a second of others come in. */
export const benchLatency = async (figures: Figures, seconds: number): Promise<void> => {
  const millrace = await startMillrace()
  try {
    const segment = await millrace.api<{ id: string }>('/api/segments', { name: 'probes', rule: { did: { event: PROBE, measure: 'count', op: 'gte', value: 1 } } })
    await millrace.api('/api/segments', { name: 'buyers', rule: { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 2, window: { last: '30d' } } } })
    await eventually(() => millrace.api<{ state: string }>(`/api/segments/${segment.id}`), ({ state }) => state === 'live')
    // Compilers warm up on as many events as a first minute brings.
    await load({ url: millrace.url, writeKey: millrace.writeKey, run: 'warm', people: 2_000, batch: 100, connections: 8, events: 40_000 })
    await untilStored(millrace, 40_000)
    const warmUp = 5
    const others = load({ url: millrace.url, writeKey: millrace.writeKey, run: 'others', people: 5_000, batch: 20, connections: 32, perSecond: PER_SECOND, seconds: warmUp + seconds + 12 })
    await sleep(warmUp * 1000)
    await eventLoopMaxMs(millrace)
    const percent = await cpuPercent(millrace.pid, 10_000)
    const stallMs = await eventLoopMaxMs(millrace)
    const probes = await probe(millrace, segment.id, seconds)
    const hotReads = await timesOfHotReads(millrace)
    const { p50Ms, p99Ms } = await others
    const how = `${probes.inSql.length} events with fresh ids in ${seconds} s, from their 2xx, asked every 10 ms`
    const group = `under ${PER_SECOND.toLocaleString('en-US')} events/s`
    figures.add(group, 'event → queryable by SQL, p50 / p99', p50p99(probes.inSql), 'ms', how)
    figures.add(group, 'event → flip in the API, p50 / p99', p50p99(probes.inApi), 'ms', 'the person in GET /api/segments/…/people/…, the same events')
    figures.add(group, 'event → in the list of flips, p50 / p99', p50p99(probes.inMembers), 'ms', 'GET /api/segments/…/flips (from ClickHouse), the same events')
    figures.add(group, 'a hot profile in the API, p50 / p99', p50p99(hotReads), 'ms', `${HOT_READS} times GET /api/profiles?userId=…, one after the other`)
    figures.add(group, 'answer of a batch of 20, p50 / p99', `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)}`, 'ms', 'the load of others')
    figures.add(group, 'CPU of the whole product', percent, '% of one core', '10 s, without probes')
    figures.add(group, 'longest stall of the event loop', stallMs, 'ms', 'the same 10 s')
  } finally {
    await millrace.stop()
    millrace.remove()
  }
}

const timesOfHotReads = async (millrace: Millrace): Promise<readonly number[]> => {
  const times: number[] = []
  for (let n = 0; n < HOT_READS; n++) {
    const startedAt = performance.now()
    await millrace.api(`/api/profiles?userId=probe-${n % 20}`)
    times.push(performance.now() - startedAt)
  }
  return times
}

const probe = async (millrace: Millrace, segment: string, seconds: number): Promise<Probes> => {
  /** By user id: when its event was answered with 2xx. */
  const answered = new Map<string, number>()
  const sql = `SELECT user_id AS id FROM millrace.events WHERE event = '${PROBE}'`
  // One question for all that are awaited: many at once would measure themselves.
  const inSql = watchFor(answered, async () => (await millrace.sql<{ id: string }>(sql)).map(({ id }) => id))
  const flips = `/api/segments/${segment}/flips?limit=1000`
  const inMembers = watchFor(answered, async () => (await millrace.api<{ flips: { personId: string }[] }>(flips)).flips.map(({ personId }) => userOf.get(personId)!))
  const userOf = new Map<string, string>()
  const inApi: Promise<number>[] = []
  const until = performance.now() + seconds * 1000
  for (let n = 0; performance.now() < until; n++) {
    const next = sleep(PROBE_EVERY_MS)
    const userId = `probe-${n}`
    const person = personIdOf(1, `user_id:${userId}`)
    userOf.set(person, userId)
    const answer = await millrace.send([{ type: 'track', event: PROBE, userId, messageId: `probe-message-${n}` }])
    if (!answer.ok) throw new Error(`a probe was answered with ${answer.status}`)
    answered.set(userId, performance.now())
    inApi.push(timeUntilIn(millrace, `/api/segments/${segment}/people/${person}`))
    await next
  }
  return { inSql: await inSql.all(), inMembers: await inMembers.all(), inApi: await Promise.all(inApi) }
}

const POLL_MS = 10
const WAIT_MS_MAX = 60_000

/** Asks all the time who is there. `all` resolves with the time that each took, when nobody is missing. */
const watchFor = (answered: ReadonlyMap<string, number>, ask: () => Promise<readonly string[]>) => {
  const seen = new Map<string, number>()
  const end = { at: Infinity }
  const watching = (async () => {
    while (end.at === Infinity || seen.size < answered.size) {
      for (const id of await ask()) if (!seen.has(id)) seen.set(id, performance.now())
      if (performance.now() > end.at) throw new Error('a probe was not seen within a minute')
      await sleep(POLL_MS)
    }
  })()
  return {
    all: async (): Promise<number[]> => {
      end.at = performance.now() + WAIT_MS_MAX
      await watching
      // It may be seen before its answer has come.
      return [...answered].map(([id, at]) => Math.max(0, seen.get(id)! - at))
    },
  }
}

const timeUntilIn = async (millrace: Millrace, path: string): Promise<number> => {
  const startedAt = performance.now()
  for (;;) {
    // A person that is not known yet is a 404.
    const answer = await millrace.api<{ in: boolean }>(path).catch(() => undefined)
    if (answer?.in) return performance.now() - startedAt
    if (performance.now() - startedAt > WAIT_MS_MAX) throw new Error('a probe was not seen within a minute')
    await sleep(POLL_MS)
  }
}
