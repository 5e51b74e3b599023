import {
  type CanonicalEvent,
  createZone,
  decodeEvent,
  type DidLeaf,
  isRefusal,
  leavesOf,
  type Origin,
  parseRule,
  personIdOf,
  type Project,
  project as projectSchema,
  type Rule,
} from '@millrace/contracts'
import type { ColumnStore } from '@millrace/ports'
import { emptyState, includeEvent, profileOf } from '@millrace/profile'
import { backfillSql, type BackfillRow, emptyLeaf, evaluate, evaluateDid, holds, indexRules, leafKey, membersSql, settle, slotAlgebra, stateOfRow, touch } from '@millrace/segments'
import { eventRow, rowBytes } from '@millrace/warehouse'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialect } from '../src/dialect.ts'
import { openStore } from './store.ts'

const HOUR = 3_600_000
const START = Date.UTC(2024, 2, 29)
const LONG = process.env['MILLRACE_LONG'] === '1'
const HISTORIES = LONG ? 12 : 4
const RULES = LONG ? 40 : 30
const KEYS = ['user_id:u1', 'user_id:u2', 'user_id:u3', 'anonymous_id:a1', 'anonymous_id:a2', 'user_id:o\'x\\', 'none:5']

let columns: ColumnStore
beforeAll(async () => {
  columns = await openStore()
})
afterAll(() => columns.close())

const op = fc.constantFrom('eq', 'neq', 'gt', 'gte', 'lt', 'lte')
const window = fc.constantFrom('ever', { last: '30m' }, { last: '6h' }, { last: '2d' }, { last: '1w' })
const filter = fc.oneof(
  fc.record({ property: fc.constantFrom('price', 'color', 'ok', 'constructor'), op: fc.constantFrom('eq', 'neq'), value: fc.constantFrom(1.1, 5, '5', 'red', true, false, '') }),
  fc.record({ property: fc.constantFrom('price', 'color'), op: fc.constantFrom('gt', 'gte', 'lt', 'lte'), value: fc.constantFrom(1.1, 5, 0) }),
  fc.record({ property: fc.constantFrom('color', 'price'), op: fc.constantFrom('contains', 'not-contains'), value: fc.constantFrom('e', '红', "'") }),
  fc.record({ property: fc.constantFrom('color', 'price'), op: fc.constantFrom('in', 'not-in'), value: fc.constantFrom(['red', "o'"], ['5'], [5, 1.1]) }),
  fc.record({ property: fc.constantFrom('price', 'color', 'list', 'gone', 'nothing', 'plan'), op: fc.constantFrom('exists', 'not-exists') }),
)
const event = fc.constantFrom('Order Completed', 'Product Viewed', '*', 'Identify')
const where = fc.array(filter, { maxLength: 2 })
const did = fc.oneof(
  fc.record({ event, where, measure: fc.constantFrom('count', 'distinct-days'), op, value: fc.integer({ min: 0, max: 4 }), window }),
  fc.record({ event, where, measure: fc.constant('count'), op: fc.constant('between'), value: fc.constantFrom([0, 1], [2, 3]), window }),
  fc.record({ event, where, measure: fc.constant('sum'), property: fc.constantFrom('price', 'revenue'), op, value: fc.constantFrom(0, 1.1, 6.1, 10), window }),
)
const profile = fc.oneof(
  fc.record({ trait: fc.constantFrom('visits', 'age'), op: fc.constantFrom('eq', 'neq', 'gte', 'lt'), value: fc.constantFrom(0.3, 1, 3, 4) }),
  fc.record({ trait: fc.constantFrom('visits', 'tags'), op: fc.constantFrom('exists', 'not-exists') }),
  fc.record({ trait: fc.constantFrom('plan', 'age', 'list', 'x'), op: fc.constantFrom('eq', 'neq'), value: fc.constantFrom('free', 3, true, '') }),
  fc.record({ trait: fc.constantFrom('plan', 'age'), op: fc.constantFrom('gt', 'lte'), value: fc.constantFrom(3, 3.5) }),
  fc.record({ trait: fc.constantFrom('plan', 'age', 'list', 'x'), op: fc.constantFrom('exists', 'not-exists') }),
  fc.record({ trait: fc.constant('plan'), op: fc.constantFrom('contains', 'not-contains', 'starts-with', 'ends-with'), value: fc.constantFrom('r', 'e', 'fr') }),
  fc.record({ trait: fc.constantFrom('plan', 'age'), op: fc.constantFrom('in', 'not-in'), value: fc.constantFrom(['free', 'pro'], [3, 4]) }),
)
const { rule } = fc.letrec((tie) => ({
  rule: fc.oneof(
    { maxDepth: 2 }, fc.record({ did }), fc.record({ profile }), fc.record({ not: tie('rule') }),
    fc.record({ all: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }) }), fc.record({ any: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }) }),
  ),
}))
const names = fc.constantFrom('plan', 'age', 'visits', 'tags', 'list')
const told = <Value>(value: fc.Arbitrary<Value>) => fc.dictionary(names, value, { minKeys: 1, maxKeys: 2, noNullPrototype: true })
const traitOps = fc.oneof(
  fc.record({ setOnce: told(fc.constantFrom<unknown>('free', 3, ['x'])) }),
  fc.record({ add: told(fc.constantFrom(0.1, 0.2, 1, -1)) }),
  fc.record({ append: told(fc.constantFrom('x', 'y')), add: told(fc.constant(1)) }),
  fc.record({ union: told(fc.constant(['x', 'z'])), remove: told(fc.constant('x')) }),
  fc.record({ unset: fc.uniqueArray(names, { minLength: 1, maxLength: 2 }) }),
  { weight: 1, arbitrary: fc.constant({ delete: true }) },
)
const happening = fc.record({
  key: fc.constantFrom(...KEYS),
  // A coarse grid: equal timestamps and exact edges of windows are common; some lie ahead of the clock.
  half: fc.integer({ min: 0, max: 200 }),
  kind: fc.constantFrom('Order Completed', 'Product Viewed', 'page', 'identify'),
  properties: fc.record(
    { price: fc.constantFrom<unknown>(0.1, 1.1, 5, -2.5, '5', 1e12, null), color: fc.constantFrom('red', 'blue', "o'", '红', ''), ok: fc.boolean(), list: fc.constant([1]), gone: fc.constant(null), revenue: fc.constantFrom<unknown>(1.1, '2.25', 0.00005), currency: fc.constantFrom('EUR', 'USD') },
    { requiredKeys: [] },
  ),
  traits: fc.record({ plan: fc.constantFrom<unknown>('free', 'pro', null, 3, ''), age: fc.constantFrom(3, 3.5, 4), list: fc.constant(['a']) }, { requiredKeys: [] }),
  traitOps: fc.option(traitOps, { nil: undefined, freq: 2 }),
})
type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never

interface Read {
  readonly key: string
  readonly number: number
  readonly event: CanonicalEvent
}

const settingsOf = (id: number, zone: string): Project =>
  projectSchema.parse({ id, name: 'shop', zone, currency: 'EUR', writeKeys: [], apiKeys: [], identity: {} })

const readOf = (project: Project, it: Happening, index: number): Read => {
  const timestamp = START + it.half * HOUR * 0.5
  const origin: Origin = { source: 'web', protocol: 'segment', receivedAt: START + 400 * HOUR, sentAt: null }
  const id = it.key.slice(it.key.indexOf(':') + 1)
  const identity = it.key.startsWith('user_id') ? { userId: id } : it.key.startsWith('none') ? { userId: 'null' } : { anonymousId: id }
  const typed = it.kind === 'identify' ? { type: 'identify', traits: it.traits } : it.kind === 'page' ? { type: 'page', properties: it.properties } : { type: 'track', event: it.kind, properties: it.properties }
  const event = decodeEvent(origin, project, { ...identity, ...typed, traitOps: it.traitOps, messageId: `m${index}`, timestamp: new Date(timestamp).toISOString() })
  if (isRefusal(event)) throw new Error(event.detail)
  return { key: it.key, number: 64 * (1 + KEYS.indexOf(it.key)) + 3, event }
}

const insert = async (project: Project, reads: readonly Read[]): Promise<void> => {
  const dayOf = createZone(project.zone).day
  const rows = reads.map(({ key, number, event }, index) => eventRow(event, { key, number, place: [index % 4, Math.floor(index / 4), 0] }, dayOf))
  await columns.insert({ table: 'millrace_store.events', rows: rowBytes(rows), token: `p${project.id}` })
  const profiles = peopleOf(project, reads).map(({ person, events }) => JSON.stringify({ project: project.id, person, version: 1, gone: false, traits: JSON.stringify(traitsOf(project, events)) }))
  await columns.insert({ table: 'millrace_store.profiles', rows: rowBytes(profiles), token: `t${project.id}` })
}

/** a2 was linked to u1: its number is moved by the map, and its events are not rewritten. */
const personOf = (project: Project, key: string): string => personIdOf(project.id, key === 'anonymous_id:a2' ? 'user_id:u1' : key)
const link = async (project: Project): Promise<void> => {
  const row = { project: project.id, number: 64 * (1 + KEYS.indexOf('anonymous_id:a2')) + 3, key_type: 'anonymous_id', key_value: 'a2', person_id: personOf(project, 'anonymous_id:a2'), person_number: 67, moved: true, linked_at: '2024-03-29 00:00:00', version: 1 }
  await columns.insert({ table: 'millrace_store.numbers', rows: rowBytes([JSON.stringify(row)]), token: `n${project.id}` })
  await columns.command('SYSTEM RELOAD DICTIONARY millrace_store.person_delta')
}

const peopleOf = (project: Project, reads: readonly Read[]): readonly { person: string; events: readonly CanonicalEvent[] }[] => {
  const people = new Map<string, CanonicalEvent[]>()
  for (const { key, event } of reads.filter(({ key }) => !key.startsWith('none'))) {
    const person = personOf(project, key)
    people.set(person, [...(people.get(person) ?? []), event])
  }
  return [...people].map(([person, events]) => ({ person, events }))
}

/** As profile-builder stores them. */
const traitsOf = ({ zone }: Project, events: readonly CanonicalEvent[]): Readonly<Record<string, unknown>> => {
  const state = emptyState()
  for (const event of events) includeEvent(state, event, 'user_id:u1', 67)
  const { traits, partial } = profileOf([state], createZone(zone))
  expect(partial).toEqual([])
  return traits
}

const parsed = (raw: unknown): Rule => {
  const found = parseRule(raw, { currency: 'EUR' })
  if (!found.ok) throw new Error(`${found.path} ${found.detail}`)
  return found.rule
}

describe('a rule in SQL', () => {
  it('has the members that its words and the stream give, traits changed by operations included, and the past that the stream would have kept', async () => {
    const histories = fc.sample(fc.tuple(fc.array(happening, { minLength: 20, maxLength: 60 }), fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns')), { numRuns: HISTORIES, seed: 7 })
    const rules = fc.sample(rule, { numRuns: RULES, seed: 8 })
    let [members, pasts] = [0, 0]
    for (const [index, [happenings, zone]] of histories.entries()) {
      const project = settingsOf(index + 1, zone)
      const reads = happenings.map((it, at) => readOf(project, it, at))
      await insert(project, reads)
      await link(project)
      const dayOf = createZone(zone).dayNumber
      for (const [at, raw] of rules.entries()) {
        const tree = parsed(raw)
        const clock = START + ((at * 37) % 220) * HOUR * 0.5
        const rows = await columns.query<{ person: string; member: number }>(membersSql(dialect, project.id, tree, clock))
        const bySql = new Map(rows.map(({ person, member }) => [person, Boolean(member)]))
        const people = peopleOf(project, reads)
        expect(bySql.size).toBe(people.length)
        for (const { person, events } of people) {
          expect({ raw, person, member: bySql.get(person) }).toEqual({ raw, person, member: holds(tree, events, clock, dayOf) })
          expect(valueInStream(tree, events, clock, dayOf)).toBe(bySql.get(person))
          members++
        }
        for (const leaf of leavesOf(tree)) if (leaf.kind === 'did') pasts += await comparePast(project, leaf, reads, clock)
      }
    }
    process.stdout.write(`rules in SQL: ${HISTORIES} histories × ${RULES} rules, ${members} memberships, ${pasts} pasts compared, seeds 7 and 8\n`)
  })
})

const valueInStream = (tree: Rule, events: readonly CanonicalEvent[], clock: number, dayOf: (ms: number) => number): boolean => {
  const index = indexRules([{ segment: 's', version: 1, rule: tree }])
  const slot = events.reduce((state, next) => touch(index, state, next, clock, dayOf).state, slotAlgebra.empty())
  return evaluate(tree, { slots: [slot], dayOf, keyOf: (leaf) => leafKey('s', 1, leaf.id) }, clock).value
}

/** The past before an offset, split at it: SQL's half and the stream's half give the same answers as the whole. */
const comparePast = async (project: Project, leaf: DidLeaf, reads: readonly Read[], clock: number): Promise<number> => {
  const upTo = [7, 5, 9, 0]
  const page = { project: project.id, clock: clock - HOUR, upTo, numberFrom: 0, numberBelow: 10_000 }
  const rows = await columns.query<BackfillRow>(backfillSql(dialect, leaf, page))
  const pasts = new Map(rows.map((row) => [Number(row.number), stateOfRow(leaf, row)]))
  const dayOf = createZone(project.zone).dayNumber
  const index = indexRules([{ segment: 's', version: 1, rule: leaf }])
  for (const number of new Set(reads.filter(({ key }) => !key.startsWith('none')).map((read) => read.number))) {
    const own = reads.map((read, at) => ({ ...read, isPast: Math.floor(at / 4) < upTo[at % 4]! })).filter((read) => read.number === number)
    const live = own.filter(({ isPast }) => !isPast).reduce((state, { event }) => touch(index, state, event, clock, dayOf).state, slotAlgebra.empty())
    const states = [settle(leaf, pasts.get(number) ?? emptyLeaf, clock, dayOf), live.leaves[leafKey('s', 1, leaf.id)]?.l ?? emptyLeaf]
    for (let at = clock; at < clock + 60 * HOUR; at += 5.5 * HOUR) {
      expect(evaluateDid(leaf, states, at, dayOf).value).toBe(holds(leaf, own.map(({ event }) => event), at, dayOf))
    }
  }
  return pasts.size
}
