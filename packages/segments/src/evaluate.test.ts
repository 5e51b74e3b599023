import { type CanonicalEvent, createZone, type DidLeaf, leavesOf, parseRule, type Rule, type TraitOps } from '@millrace/contracts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluate, evaluateDid, holds, indexRules, leafKey, nextFlip, slotAlgebra, type SlotState, type Subject, touch, explain } from './index.ts'

const HOUR = 3_600_000
const DAY = 86_400_000
/** The last Sunday of March: a day of 23 hours in Berlin lies among the days of the tests. */
const START = Date.UTC(2024, 2, 29)
const CASES = process.env['MILLRACE_LONG'] === '1' ? 5_000 : 400

const event = (at: number, more: Partial<CanonicalEvent> = {}): CanonicalEvent => ({
  project: 1, messageId: `m${at}`, type: 'track', event: 'Order Completed', userId: 'u1', anonymousId: null, previousId: null, groupId: null,
  timestamp: at, originalTimestamp: null, sentAt: null, receivedAt: at, source: 'web', protocol: 'segment', sessionId: '', channel: '',
  properties: {}, traits: {}, traitOps: null, context: {}, revenue: null, currency: 'EUR', ...more,
})

const op = fc.constantFrom('eq', 'neq', 'gt', 'gte', 'lt', 'lte')
const window = fc.constantFrom('ever', { last: '30m' }, { last: '6h' }, { last: '2d' }, { last: '1w' })
const where = fc.constantFrom([], [{ property: 'price', op: 'gt', value: 3 }], [{ property: 'color', op: 'neq', value: 'red' }])
const name = fc.constantFrom('Order Completed', 'Product Viewed', '*')
const did = fc.oneof(
  fc.record({ event: name, where, measure: fc.constantFrom('count', 'distinct-days'), op, value: fc.integer({ min: 0, max: 4 }), window }),
  fc.record({ event: name, where, measure: fc.constant('count'), op: fc.constant('between'), value: fc.constantFrom([0, 1], [2, 3]), window }),
  fc.record({ event: name, where, measure: fc.constant('sum'), property: fc.constantFrom('price', 'revenue'), op, value: fc.constantFrom(0, 2.5, 7, 12.1), window }),
)
const profile = fc.oneof(
  fc.record({ trait: fc.constant('visits'), op: fc.constantFrom('eq', 'gte', 'lt'), value: fc.constantFrom(0.3, 1, 2) }),
  fc.record({ trait: fc.constantFrom('tags', 'visits'), op: fc.constantFrom('exists', 'not-exists') }),
  fc.record({ trait: fc.constantFrom('plan', 'age'), op: fc.constantFrom('eq', 'neq'), value: fc.constantFrom('free', 'pro', 3) }),
  fc.record({ trait: fc.constantFrom('plan', 'age'), op: fc.constantFrom('exists', 'not-exists') }),
)
const { rule } = fc.letrec((tie) => ({
  rule: fc.oneof(
    { maxDepth: 2 },
    fc.record({ did }),
    fc.record({ profile }),
    fc.record({ didNot: fc.record({ event: name, where, window }) }),
    fc.record({ not: tie('rule') }),
    fc.record({ all: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }) }),
  ),
}))

const parsed = (raw: unknown): Rule => {
  const found = parseRule(raw, { currency: 'EUR' })
  if (!found.ok) throw new Error(`${found.path} ${found.detail}`)
  return found.rule
}

const names = fc.constantFrom('plan', 'visits', 'tags', '__proto__')
const told = <Value>(value: fc.Arbitrary<Value>) => fc.dictionary(names, value, { minKeys: 1, maxKeys: 2, noNullPrototype: true })
const traitOps: fc.Arbitrary<TraitOps> = fc.oneof(
  fc.record({ setOnce: told(fc.constantFrom<unknown>('free', 3, ['x'])) }),
  fc.record({ add: told(fc.constantFrom(0.1, 0.2, 1, -1)) }),
  fc.record({ append: told(fc.constant(['x'])), add: told(fc.constant(1)) }),
  fc.record({ union: told(fc.constant(['x'])) }),
  fc.record({ remove: told(fc.constant(['x'])) }),
  fc.record({ unset: fc.uniqueArray(names, { minLength: 1 }), setOnce: told(fc.constant(1)) }),
  fc.record({ delete: fc.constant(true as const), add: told(fc.constant(1)) }),
)

/** Times on a coarse grid, so that equal ones and exact edges of windows are common; read up to two days late. */
const happening = fc.record({
  slot: fc.integer({ min: 0, max: 2 }),
  read: fc.integer({ min: 0, max: 300 }),
  late: fc.constantFrom(0, 0, 0, 0.5, 6, 30, 48, -1),
  kind: fc.constantFrom('Order Completed', 'Product Viewed', 'Identify'),
  price: fc.constantFrom(0.1, 1.25, 3.3333, 5, '5'),
  color: fc.constantFrom('red', 'blue', undefined),
  plan: fc.constantFrom('free', 'pro', null, 3),
  ops: fc.option(traitOps, { freq: 2 }),
})
type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never

const toEvent = (it: Happening, index: number): CanonicalEvent => {
  const receivedAt = START + it.read * HOUR * 0.5
  const identify = it.kind === 'Identify'
  return event(receivedAt - it.late * HOUR, {
    messageId: `m${index}`, receivedAt, event: it.kind, type: identify ? 'identify' : 'track',
    properties: identify ? {} : { price: it.price, ...(it.color ? { color: it.color } : {}) },
    traits: identify ? { plan: it.plan, age: 3 } : {}, traitOps: it.ops, revenue: identify ? null : String(it.price),
  })
}

const subjectOf = (slots: readonly SlotState[], dayOf: (ms: number) => number): Subject => ({
  slots, dayOf, keyOf: (leaf: DidLeaf) => leafKey('s', 1, leaf.id),
})

describe('a rule over a stream', () => {
  it('has at each clock the value that its words give over all events, in any split over numbers, and a timer for each change', () => {
    let checked = 0
    fc.assert(
      fc.property(rule, fc.array(happening, { maxLength: 25 }), fc.constantFrom('UTC', 'Europe/Berlin'), (raw, happenings, zone) => {
        const tree = parsed(raw)
        const dayOf = createZone(zone).dayNumber
        const index = indexRules([{ segment: 's', version: 1, rule: tree }])
        const slots = [slotAlgebra.empty(), slotAlgebra.empty(), slotAlgebra.empty()]
        const read = happenings.map((it, at) => ({ slot: it.slot, event: toEvent(it, at) })).sort((a, b) => a.event.receivedAt - b.event.receivedAt)
        const seen: CanonicalEvent[] = []
        let [clock, due, value] = [START, Infinity, holds(tree, [], START, dayOf)]
        const moveTo = (to: number): void => {
          // Every half hour: a change of value that no timer announced would show here.
          for (let at = clock + HOUR / 2; at <= to; at += HOUR / 2) {
            const now = holds(tree, seen, at, dayOf)
            if (now !== value) expect(due).toBeLessThanOrEqual(at)
            if (due <= at) {
              const verdict = evaluate(tree, subjectOf(slots, dayOf), at)
              ;[due, value] = [verdict.next ?? Infinity, verdict.value]
            }
            expect(value).toBe(now)
            checked++
          }
          clock = to
        }
        for (const { slot, event: next } of read) {
          moveTo(next.receivedAt)
          const before = slots[slot]!
          const touched = touch(index, before, next, clock, dayOf)
          slots[slot] = touched.state
          seen.push(next)
          if (touched.segments.has('s')) {
            const verdict = evaluate(tree, subjectOf(slots, dayOf), clock)
            ;[due, value] = [verdict.next ?? Infinity, verdict.value]
          }
          expect(value).toBe(holds(tree, seen, clock, dayOf))
          const joined = slots.reduce((all, one) => slotAlgebra.add(one, all), slotAlgebra.empty())
          expect(evaluate(tree, subjectOf([joined], dayOf), clock).value).toBe(value)
        }
        moveTo(clock + 8 * DAY)
      }),
      { numRuns: CASES, seed: 42 },
    )
    process.stdout.write(`rules against their words: ${CASES} rules and histories, ${checked} clocks, seed 42\n`)
  })

  it('tells the next flip of the whole rule, and the events behind each leaf', () => {
    const tree = parsed({ all: [{ did: { event: 'Order Completed', value: 2, window: { last: '1d' } } }, { not: { profile: { trait: 'plan', op: 'eq', value: 'free' } } }] })
    const index = indexRules([{ segment: 's', version: 1, rule: tree }])
    const dayOf = createZone('UTC').dayNumber
    const slot = [0, 5, 8].reduce((state, hour) => touch(index, state, event(START + hour * HOUR), START + hour * HOUR, dayOf).state, slotAlgebra.empty())
    const subject = subjectOf([slot], dayOf)
    expect(nextFlip(tree, subject, START + 8 * HOUR)).toBe(START + 5 * HOUR + DAY)
    expect(explain(tree, subject, START + 8 * HOUR)).toMatchObject({
      value: true,
      of: [{ kind: 'did', measured: '3', atLeast: true, events: expect.arrayContaining([new Date(START).toISOString()]) }, { kind: 'not', of: { trait: 'plan', value: false } }],
    })
  })

  it('touches a rule on a trait whatever changes it, and all rules on traits when the person is deleted', () => {
    const tree = parsed({ profile: { trait: 'visits', op: 'gte', value: 2 } })
    const index = indexRules([{ segment: 's', version: 1, rule: tree }])
    const dayOf = createZone('UTC').dayNumber
    let [state, clock] = [slotAlgebra.empty(), START]
    const does = (traitOps: TraitOps, more: Partial<CanonicalEvent> = {}): readonly [touched: boolean, value: boolean] => {
      const touched = touch(index, state, event(clock++, { event: 'Seen', traitOps, ...more }), clock, dayOf)
      state = touched.state
      return [touched.segments.has('s'), evaluate(tree, subjectOf([state], dayOf), clock).value]
    }
    expect(does({ setOnce: { visits: 1 } })).toEqual([true, false])
    expect(does({ setOnce: { plan: 'x' }, union: { tags: ['x'] } })).toEqual([false, false])
    expect(does({ add: { visits: 1 } }, { type: 'group', event: 'Group' })).toEqual([false, false])
    expect(does({ add: { visits: 1 } })).toEqual([true, true])
    expect(does({ unset: ['visits'] })).toEqual([true, false])
    expect(does({ add: { visits: 2 } })).toEqual([true, true])
    expect(explain(tree, subjectOf([state], dayOf), clock)).toMatchObject({ found: 2, setAt: new Date(clock - 1).toISOString() })
    expect(does({ delete: true })).toEqual([true, false])
    expect(state).toEqual({ traits: {}, leaves: {}, deleted: [clock - 1, `m${clock - 1}`] })
    // What comes late stays hidden, also in another number of the person.
    const late = touch(index, slotAlgebra.empty(), event(START, { event: 'Seen', traits: { visits: 9 } }), clock, dayOf).state
    expect(evaluate(tree, subjectOf([late], dayOf), clock).value).toBe(true)
    expect(evaluate(tree, subjectOf([late, state], dayOf), clock).value).toBe(false)
    expect(slotAlgebra.isEmpty(state)).toBe(false)
  })

  it('takes a number that no store can keep for null, in a trait and in a property', () => {
    const odd = JSON.parse('{"price":1e400}') as Record<string, unknown>
    const [dear, traited] = [parsed({ did: { event: '*', where: [{ property: 'price', op: 'gt', value: 3 }] } }), parsed({ profile: { trait: 'price', op: 'exists' } })]
    for (const rule of [dear, traited]) {
      const index = indexRules([{ segment: 's', version: 1, rule }])
      const dayOf = createZone('UTC').dayNumber
      let state = touch(index, slotAlgebra.empty(), event(START, { properties: odd }), START, dayOf).state
      state = touch(index, state, event(START, { messageId: 'i', type: 'identify', event: 'Identify', traits: odd }), START, dayOf).state
      expect(evaluate(rule, subjectOf([state], dayOf), START).value).toBe(false)
    }
  })

  it('says that a sum is partial while what its bound threw away lies in the window', () => {
    const leaf = leavesOf(parsed({ did: { event: 'Order Completed', measure: 'sum', property: 'price', value: 1, window: { last: '1d' } } }))[0] as DidLeaf
    const t = Array.from({ length: 10 }, (_, index) => START + index)
    const state = { t, a: t.map(() => 10_000), cut: START - HOUR }
    expect(evaluateDid(leaf, [state], START + HOUR, createZone('UTC').dayNumber).partial).toBe(true)
    expect(evaluateDid(leaf, [state], START + DAY, createZone('UTC').dayNumber).partial).toBe(false)
  })
})
