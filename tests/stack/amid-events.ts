import { askRedis } from '@millrace/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { settledLedger } from '../support/ledger.ts'
import { eventually, type Millrace } from '../support/millrace.ts'

const PEOPLE = 40
const BATCHES = 60
const BATCH_EVENTS = 20
const TRIES_MAX = 200
const PAUSE_MS = 100

interface Trends {
  readonly series: readonly { readonly points: readonly { readonly value: number }[] }[]
}

/** Each service is killed while events come in. */
export const killEachService = (start: () => Promise<Millrace>, launcher: () => Millrace, services: readonly string[]): unknown =>
  countsThrough('kill -9 of each service', start, services.map((name) => () => kill(launcher(), `${name}-0`)))

/** Redis loses everything, is killed, and loses everything again. */
export const loseRedis = (start: () => Promise<Millrace>, launcher: () => Millrace): unknown => {
  const flush = async (): Promise<void> => {
    const port = /Redis redis:\/\/127\.0\.0\.1:(\d+)/.exec(launcher().output())![1]
    expect(await askRedis(Number(port), ['FLUSHALL'])).toBe('+OK\r\n')
  }
  return countsThrough('FLUSHALL and kill -9 of Redis', start, [flush, () => kill(launcher(), 'redis'), flush])
}

const kill = (launcher: Millrace, name: string): unknown => process.kill(launcher.processes()[name]!, 'SIGKILL')

/** What goes wrong while events come in; afterwards every answer equals what was sent. */
const countsThrough = (what: string, start: () => Promise<Millrace>, faults: readonly (() => unknown)[]): unknown =>
  describe(`${what} amid events`, () => {
    let project: Millrace
    let segment: string
    beforeAll(async () => {
      project = await start()
      const rule = { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 2, window: 'ever' } }
      segment = (await project.api<{ id: string }>('/api/segments', { name: 'bought twice', rule })).id
    })

    it('loses nothing and counts nothing twice: ledger, SQL, questions, profiles, members', async () => {
      const atBatch = faults.map((_fault, index) => Math.floor(((index + 1) * BATCHES) / (faults.length + 1)))
      for (let batch = 0; batch < BATCHES; batch++) {
        await faults[atBatch.indexOf(batch)]?.()
        await sendUntilTaken(project, eventsOf(batch))
      }
      const sent = BATCHES * BATCH_EVENTS
      const total = await settledLedger(project, sent, 300_000)
      expect(total).toMatchObject({ stored: sent, rejected: 0, erased: 0 })
      expect(total.received).toBe(sent + total.duplicate)

      const orders = BATCHES * (BATCH_EVENTS / 2)
      const [row] = await project.sql("SELECT count() AS events, uniqExact(message_id) AS messages, uniqExact(person_id) AS people, toString(sum(revenue)) AS revenue FROM events")
      expect(row).toEqual({ events: sent, messages: sent, people: PEOPLE, revenue: String(orders) })
      const today = new Date().toISOString().slice(0, 10)
      const { series } = await project.api<Trends>('/api/metrics/trends', { events: [{ event: 'Order Completed' }], measure: 'events', interval: 'day', from: '2026-01-05', to: today })
      expect(series[0]!.points.reduce((sum, { value }) => sum + value, 0)).toBe(orders)

      const members = await eventually(() => project.api<{ members: unknown[] }>(`/api/segments/${segment}/members`), (answer) => answer.members.length === PEOPLE / 2)
      expect(members.members.length).toBe(PEOPLE / 2)
      for (let person = 1; person < PEOPLE; person += 2) {
        const profile = await eventually(() => project.api<object>(`/api/profiles?userId=u${person}`), (found) => JSON.stringify(found).includes(`"net":"${(2 * orders) / PEOPLE}"`))
        expect(profile).toBeTruthy()
      }
    })
  })

/** Half of the people buy, each of them equally often. */
const eventsOf = (batch: number): readonly unknown[] =>
  Array.from({ length: BATCH_EVENTS }, (_, index) => {
    const number = batch * BATCH_EVENTS + index
    const person = number % PEOPLE
    const shared = { type: 'track', messageId: `k-${number}`, userId: `u${person}`, timestamp: `2026-01-05T08:00:00.${String(number % 1000).padStart(3, '0')}Z` }
    return person % 2 === 1 ? { ...shared, event: 'Order Completed', properties: { order_id: `o-${number}`, revenue: 1, currency: 'USD' } } : { ...shared, event: 'Product Viewed' }
  })

/** As an SDK does: the same batch again until it is taken. */
const sendUntilTaken = async (project: Millrace, events: readonly unknown[]): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    const answer = await project.send(events).catch(() => null)
    await answer?.arrayBuffer()
    if (answer?.ok) return
    if (attempt === TRIES_MAX) throw new Error(`not taken after ${TRIES_MAX} tries: ${answer?.status ?? 'no answer'}`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
