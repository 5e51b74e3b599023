import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { funnelQuestion, retentionQuestion, trendsQuestion, type EventChoice } from '@millrace/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { skipped } from '../../../tests/support/requirements.ts'
import { askFunnel, askRetention, askTrends, type Asking } from '../src/questions/ask.ts'
import { insertClock, insertEvents, mergeNumbers, openWarehouse, type Store } from './warehouse.ts'

interface Expected {
  readonly days: readonly { day: string; dau: number; new: number; wau: number; mau: number }[]
  readonly retention: {
    readonly cohorts: readonly { cohort: string; size: number; retained: readonly number[] }[]
    readonly total: readonly { n: number; users: number; retained: number; unbounded: number }[]
  }
  readonly funnels: readonly { steps: readonly string[]; window_s: number; users: readonly number[]; strict: readonly number[] }[]
  readonly totals: { readonly by_event: readonly { event: string; events: number; users: number }[] }
}

const folder = process.env['MILLRACE_DATASETS'] ?? ''
const csv = join(folder, 'ecom_events.csv.gz')
const available = folder !== '' && existsSync(csv)
const skip = skipped(['datasets'], 'the known answers of the shop data', available ? null : 'it is not in the folder MILLRACE_DATASETS')

const project = { id: 1, zone: 'UTC', currency: 'USD' }
const span = { from: '2024-01-04', to: '2024-06-29' }
const any: EventChoice = { event: '*', where: [] }

describe.skipIf(skip)('the shop data, 31,106 events of 600 people with known answers', () => {
  let store: Store
  let asking: Asking
  let expected: Expected

  beforeAll(async () => {
    store = await openWarehouse()
    asking = { columns: store.columns, bounds: { queryMsMax: 20_000, queryMemoryBytesMax: 900_000_000, queryRowsMax: 100_000 } }
    expected = JSON.parse(readFileSync(join(folder, 'expected', 'ecom.json'), 'utf8')) as Expected
    const [, ...lines] = gunzipSync(readFileSync(csv)).toString('utf8').trim().split('\n')
    const events = lines.map((line) => {
      const [, user = '', , event = '', timestamp = ''] = line.split(',')
      return { user: Number(user.slice(5)) + 1, event, at: Date.parse(timestamp) }
    })
    // Every second event comes in under a number of its own that is merged into the user's: answers must not differ.
    const numbered = events.map((event, index) => (index % 2 === 0 ? event : { ...event, user: event.user + 1000 }))
    for (let at = 0; at < numbered.length; at += 5000) await insertEvents(store.columns, 1, 'UTC', numbered.slice(at, at + 5000))
    await mergeNumbers(store.columns, 1, Array.from({ length: 600 }, (_, user) => [user + 1001, user + 1] as const), 1)
    await insertClock(store.columns, Date.parse('2024-07-20T00:00:00Z'))
  })
  afterAll(() => store?.close())

  for (const readFrom of [undefined, 'events'] as const) {
    const options = readFrom && { readFrom }
    const values = async (more: object): Promise<readonly unknown[]> => {
      const question = trendsQuestion.parse({ events: [any], ...span, ...more })
      const { series, definition } = await askTrends(asking, project, question, options)
      expect(definition.readFrom).toBe(readFrom ?? 'aggregates')
      return series[0]!.points.map(({ value }) => value)
    }

    it(`gives every day's people, new people, WAU and MAU from ${readFrom ?? 'aggregates'}`, async () => {
      expect(await values({ measure: 'people' })).toEqual(expected.days.map(({ dau }) => dau))
      expect(await values({ measure: 'new-people' })).toEqual(expected.days.map((day) => day.new))
      expect(await values({ measure: 'people', rollingDays: 7 })).toEqual(expected.days.map(({ wau }) => wau))
      expect(await values({ measure: 'people', rollingDays: 30 })).toEqual(expected.days.map(({ mau }) => mau))
    })

    it(`gives retention of every cohort and in total from ${readFrom ?? 'aggregates'}`, async () => {
      const question = retentionQuestion.parse({ start: any, return: any, ...span })
      const answer = await askRetention(asking, project, question, options)
      expect(answer.cohorts.map(({ at, size, returned }) => ({ cohort: at, size, retained: returned }))).toEqual(expected.retention.cohorts)
      expect(answer.total).toEqual(expected.retention.total.map(({ n, users, retained }) => ({ n, size: users, returned: retained })))
      const unbounded = await askRetention(asking, project, { ...question, counting: 'on-or-after' }, options)
      expect(unbounded.total.map(({ returned }) => returned)).toEqual(expected.retention.total.map((total) => total.unbounded))
    })
  }

  it('gives the people of every funnel, with equal times in order and refused', async () => {
    for (const { steps, window_s, users, strict } of expected.funnels) {
      const question = funnelQuestion.parse({ steps: steps.map((event) => ({ event })), window: `${window_s}s`, ...span })
      const people = async (equalTimes: 'in-order' | 'refused'): Promise<readonly number[]> =>
        (await askFunnel(asking, project, { ...question, equalTimes })).steps.map((step) => step.people)
      expect(await people('in-order')).toEqual(users)
      expect(await people('refused')).toEqual(strict)
    }
  })

  it('gives the total of every event', async () => {
    const totals = new Map<string, number>()
    const names = expected.totals.by_event.map(({ event }) => event)
    for (const part of [names.slice(0, 10), names.slice(10)]) {
      const question = trendsQuestion.parse({ events: part.map((event) => ({ event })), interval: 'month', ...span })
      for (const { event, points } of (await askTrends(asking, project, question)).series)
        totals.set(event, points.reduce((sum, { value }) => sum + Number(value), 0))
    }
    expect(Object.fromEntries(totals)).toEqual(Object.fromEntries(expected.totals.by_event.map(({ event, events }) => [event, events])))
  })
})
