import { chanceFrom, funnelQuestion, retentionQuestion, trendsQuestion, type EventChoice, type PropertyFilter } from '@millrace/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askFunnel, askRetention, askTrends, type Asking } from '../src/questions/ask.ts'
import { funnelReference, retentionReference, trendReference, type PersonOf } from './reference.ts'
import { insertClock, insertEvents, mergeNumbers, openWarehouse, type Store, type Written } from './warehouse.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 20_240_104)
const CASES = Number(process.env['MILLRACE_CASES'] ?? (process.env['MILLRACE_LONG'] === '1' ? 16 : 10))
const ZONES = ['UTC', 'America/New_York', 'Europe/Berlin', 'Asia/Shanghai', 'America/Santiago', 'Asia/Kathmandu', 'Australia/Sydney']

interface History {
  readonly project: { readonly id: number; readonly zone: string; readonly currency: string }
  readonly events: readonly Written[]
  readonly personOf: PersonOf
  readonly merges: readonly (readonly [number, number])[]
  readonly pick: <Item>(items: readonly Item[]) => Item
  readonly next: () => number
}

const NAMES = ['a', 'b', 'c']
const USERS = 12

/** Around a change of the clocks: late events, equal times, merges, events of nobody, types that are no activity. */
const historyOf = (id: number): History => {
  const { next, pick } = chanceFrom(SEED + id)
  const start = pick([Date.UTC(2024, 2, 28), Date.UTC(2024, 2, 8), Date.UTC(2024, 9, 1), Date.UTC(2023, 8, 1)])
  const times = Array.from({ length: 60 }, () => start + Math.floor(next() * 10 * 86_400_000))
  const events = Array.from({ length: 40 + Math.floor(next() * 160) }, (): Written => ({
    user: 1 + Math.floor(next() * USERS),
    event: pick(NAMES),
    // Few distinct times, so that many are equal; some lie on the edge of a quarter hour.
    at: next() < 0.6 ? pick(times) : Math.floor(pick(times) / 900_000) * 900_000 - (next() < 0.5 ? 1 : 0),
    type: next() < 0.1 ? 'identify' : 'track',
    properties: next() < 0.3 ? {} : { size: pick([1, 2, 3.5, 'x', 'xy', true]) },
    ...(next() < 0.3 && { revenue: pick(['0.1', '0.2', '19.99', '-5']), currency: pick(['USD', 'CNY']) }),
    nobody: next() < 0.05,
  }))
  const persons = Array.from({ length: USERS + 1 }, (_, user) => (next() < 0.3 ? 1 + Math.floor(next() * 3) : user))
  persons[1] = 1
  persons[2] = 2
  persons[3] = 3
  return {
    project: { id, zone: pick(ZONES), currency: 'USD' },
    events,
    personOf: (user) => persons[user]!,
    merges: persons.flatMap((person, user) => (user > 0 && person !== user ? [[user, person] as const] : [])),
    pick,
    next,
  }
}

const FILTERS: readonly PropertyFilter[] = [
  { property: 'size', op: 'eq', value: 1 },
  { property: 'size', op: 'neq', value: 'x' },
  { property: 'size', op: 'eq', value: true },
  { property: 'size', op: 'gte', value: 2 },
  { property: 'size', op: 'contains', value: 'y' },
  { property: 'size', op: 'not-contains', value: 'x' },
  { property: 'size', op: 'in', value: ['x', 'z'] },
  { property: 'size', op: 'not-in', value: [1, 2] },
  { property: 'size', op: 'exists' },
  { property: 'size', op: 'not-exists' },
]

describe(`questions over ${CASES} generated histories, seed ${SEED}`, () => {
  let store: Store
  let asking: Asking
  const histories = Array.from({ length: CASES }, (_, index) => historyOf(index + 1))

  beforeAll(async () => {
    store = await openWarehouse()
    asking = { columns: store.columns, bounds: { queryMsMax: 20_000, queryMemoryBytesMax: 900_000_000, queryRowsMax: 100_000 } }
    for (const { project, events, merges } of histories) {
      // In several inserts and out of order, as late events come.
      const middle = Math.floor(events.length / 3)
      await insertEvents(store.columns, project.id, project.zone, events.slice(middle))
      await insertEvents(store.columns, project.id, project.zone, events.slice(0, middle))
      if (merges.length > 0) await mergeNumbers(store.columns, project.id, merges, project.id)
    }
    await insertClock(store.columns, Date.UTC(2025, 0, 1))
  })
  afterAll(() => store?.close())

  const choiceOf = (history: History, filtered: boolean): EventChoice => ({
    event: history.pick([...NAMES, '*']),
    where: filtered ? [history.pick(FILTERS)] : [],
  })
  const spanOf = ({ events, next }: History) => {
    const day = (at: number): string => new Date(at).toISOString().slice(0, 10)
    const first = Math.min(...events.map(({ at }) => at))
    return { from: day(first + (next() - 0.3) * 4 * 86_400_000), to: day(first + (5 + next() * 7) * 86_400_000) }
  }

  it('counts events, people, new and rolling people as the plain reference does, from aggregates and from events', async () => {
    let asked = 0
    for (const history of histories) {
      for (const filtered of [false, true]) {
        const { project, events, personOf, pick } = history
        const choice = choiceOf(history, filtered)
        const span = spanOf(history)
        const zone = filtered ? pick(ZONES) : project.zone
        const expected = trendReference(events, choice, personOf, { ...span, zone })
        const days = pick([2, 7, 30])
        for (const readFrom of filtered ? (['events'] as const) : ([undefined, 'events'] as const)) {
          const values = async (more: object): Promise<readonly unknown[]> => {
            const question = trendsQuestion.parse({ events: [choice], zone, ...span, ...more })
            const answer = await askTrends(asking, project, question, readFrom && { readFrom })
            asked++
            return answer.series[0]!.points.map(({ value }) => value)
          }
          expect(await values({ measure: 'events' }), `project ${project.id}`).toEqual(expected.events)
          expect(await values({ measure: 'people' }), `project ${project.id}`).toEqual(expected.people)
          expect(await values({ measure: 'new-people' }), `project ${project.id}`).toEqual(expected.newPeople)
          expect(await values({ measure: 'people', rollingDays: days }), `project ${project.id}`).toEqual(expected.rolling(days))
        }
      }
    }
    process.stdout.write(`trends: ${asked} answers compared over ${CASES} histories\n`)
  })

  it('counts retention as the plain reference does, from aggregates and from events', async () => {
    let asked = 0
    for (const history of histories) {
      for (const filtered of [false, true]) {
        const { project, events, personOf, pick } = history
        const question = retentionQuestion.parse({
          start: choiceOf(history, false),
          return: choiceOf(history, filtered),
          counting: pick(['on', 'on-or-after']),
          periods: 5,
          zone: project.zone,
          ...spanOf(history),
        })
        const expected = retentionReference(events, question, personOf, { ...question, zone: project.zone })
        for (const readFrom of [undefined, 'events'] as const) {
          const { cohorts } = await askRetention(asking, project, question, readFrom && { readFrom })
          expect(cohorts.map(({ at, size, returned }) => ({ at, size, returned })), `project ${project.id}`).toEqual(expected)
          asked++
        }
      }
    }
    process.stdout.write(`retention: ${asked} answers compared over ${CASES} histories\n`)
  })

  it('counts funnels as trying every way to go through the steps does, with many equal times', async () => {
    let asked = 0
    for (const history of histories) {
      for (const equalTimes of ['in-order', 'refused'] as const) {
        for (const filtered of [false, true]) {
          const { project, events, personOf, pick } = history
          const steps = filtered
            ? [choiceOf(history, true), choiceOf(history, false), choiceOf(history, true)]
            : pick([['a', 'b', 'c'], ['c', 'a'], ['a', 'a', 'a'], ['b', '*', 'b']]).map((event) => ({ event }))
          const zone = pick(ZONES)
          const question = funnelQuestion.parse({ steps, window: pick(['1s', '15m', '12h', '3d']), equalTimes, zone, ...spanOf(history) })
          const answer = await askFunnel(asking, project, question)
          const expected = funnelReference(events, question, personOf, { ...question, zone })
          expect(answer.steps.map(({ people }) => people), `project ${project.id} ${JSON.stringify(question)}`).toEqual(expected)
          asked++
        }
      }
    }
    process.stdout.write(`funnel: ${asked} answers compared over ${CASES} histories\n`)
  })

  it('sums money in decimals, one currency at a time, and leaves out events without the value', async () => {
    for (const { project, events } of histories.slice(0, 10)) {
      const question = trendsQuestion.parse({
        events: [{ event: '*' }], measure: 'sum', property: 'revenue', interval: 'month', from: '2023-01-01', to: '2024-12-31',
      })
      const answer = await askTrends(asking, project, question)
      const units = answer.series[0]!.points.reduce((sum, { value }) => sum + Math.round(Number(value) * 100), 0)
      const counted = events.filter(({ type, currency, revenue }) => type === 'track' && currency === 'USD' && revenue)
      expect(units).toBe(counted.reduce((sum, { revenue }) => sum + Math.round(Number(revenue) * 100), 0))
      expect(answer.definition.question.currency).toBe('USD')
    }
  })
})
