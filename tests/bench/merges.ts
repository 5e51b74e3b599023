import type { Millrace } from '../support/millrace.ts'
import { p50p99 } from './figures.ts'
import { load } from './load.ts'
import { backlogOf, untilDrained, untilStored, waitingText } from './product.ts'
import { sleep } from './watch.ts'

const PER_SECOND = 1_000
const WARM_UP_S = 5
const BESIDE_S = 45
const IDLE_MERGES = 20
const BACKLOG_MERGES = 20
const MERGE_MS_MAX = 60_000

interface Loaded {
  readonly people: number
  readonly events: number
  readonly add: (name: string, value: number | string, unit: string, how: string) => void
}

/** How long after its 202 an explicit merge is in SQL: alone, beside steady traffic, and in the wake of a load at full speed. */
export const benchMerges = async (millrace: Millrace, { people, events, add }: Loaded): Promise<void> => {
  const pairs = pairsOf(people)
  const alone: number[] = []
  while (alone.length < IDLE_MERGES) alone.push(await mergeNext(millrace, pairs))
  add('merge → visible in SQL, nothing else to do, p50 / p99', p50p99(alone), 'ms', `${alone.length} explicit merges, from the 202, asked every 10 ms`)

  const { url, writeKey } = millrace
  const others = load({ url, writeKey, run: 'others', people: 5_000, batch: 20, connections: 32, perSecond: PER_SECOND, seconds: WARM_UP_S + BESIDE_S })
  await sleep(WARM_UP_S * 1000)
  const until = performance.now() + BESIDE_S * 1000
  const beside: number[] = []
  while (performance.now() < until) beside.push(await mergeNext(millrace, pairs))
  // Where the machine cannot carry the rate, a merge waits for what grows before it: the line says so.
  const carried = await backlogOf(millrace)
  const { accepted } = await others
  add(`merge → visible in SQL, beside ${PER_SECOND.toLocaleString('en-US')} events/s, p50 / p99`, p50p99(beside), 'ms',
    `${beside.length} explicit merges, one after the other; at the end there waited: ${waitingText(carried)}`)
  await untilDrained(millrace)

  const more = Math.round(events / 10)
  await load({ url, writeKey, run: 'more', people: Math.round(people / 10), batch: 100, connections: 16, events: more, daysBack: 30 })
  const left = await backlogOf(millrace)
  const behind: number[] = []
  while (behind.length < BACKLOG_MERGES) behind.push(await mergeNext(millrace, pairs))
  add('merge → visible in SQL, right after a load at full speed, first / p50', `${Math.round(behind[0]!)} / ${p50p99(behind).split(' / ')[0]}`, 'ms',
    `${behind.length} merges at the last 2xx of ${more.toLocaleString('en-US')} events: the first waits for what was left, ${waitingText(left)}`)
  await untilStored(millrace, events + accepted + more)
  await untilDrained(millrace)
}

/** Two people each time that no merge has named yet. */
const pairsOf = function* (people: number): Generator<readonly [string, string], never> {
  for (let person = 100; person + 1 < people; person += 2) yield [`r-u${person}`, `r-u${person + 1}`]
  throw new Error('more merges than people')
}

const mergeNext = async (millrace: Millrace, pairs: Iterator<readonly [string, string], never>): Promise<number> => {
  const [a, b] = pairs.next().value
  const key = (value: string) => ({ type: 'user_id', value })
  await millrace.api('/api/identity/commands', { op: 'merge', a: key(a), b: key(b) })
  const at = performance.now()
  for (;;) {
    const [row] = await millrace.sql<{ n: number }>(`SELECT toUInt32(uniqExact(person_id)) AS n FROM millrace.events WHERE user_id IN ('${a}', '${b}')`)
    if (row!.n === 1) return performance.now() - at
    if (performance.now() - at > MERGE_MS_MAX) throw new Error(`the merge of ${a} and ${b} is not visible`)
    await sleep(10)
  }
}
