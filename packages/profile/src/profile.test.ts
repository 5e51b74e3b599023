import { type CanonicalEvent, createZone, type EventType, keyOf, type TraitOps } from '@millrace/contracts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addStates, bounds, copyState, emptyState, includeEvent, profileOf, type ProfileState } from './index.ts'

const UTC = createZone('UTC')
const T = Date.UTC(2026, 0, 5, 9)
const MINUTE = 60_000

const eventOf = (over: Partial<CanonicalEvent> = {}): CanonicalEvent => ({
  project: 1, messageId: 'm1', type: 'track', event: 'Clicked', userId: 'u1', anonymousId: null, previousId: null, groupId: null,
  timestamp: T, originalTimestamp: null, sentAt: null, receivedAt: T, source: 'web', protocol: 'segment', sessionId: '', channel: '',
  properties: {}, traits: {}, traitOps: null, context: {}, revenue: null, currency: 'CNY', ...over,
})
const stateOf = (...events: readonly CanonicalEvent[]): ProfileState => {
  const state = emptyState()
  for (const event of events) includeEvent(state, event, keyOf('user_id', event.userId!), Number(event.userId!.slice(1)))
  return state
}
const profile = (...events: readonly CanonicalEvent[]) => profileOf([stateOf(...events)], UTC)

describe('identities', () => {
  it('are the keys of its numbers; the user with the smallest number comes first', () => {
    const state = emptyState()
    includeEvent(state, eventOf(), 'user_id:b', 7)
    includeEvent(state, eventOf(), 'user_id:a', 9)
    includeEvent(state, eventOf(), 'anonymous_id:x', 3)
    const { userId, anonymousIds, identities } = profileOf([state], UTC)
    expect([userId, anonymousIds, identities.map(({ value }) => value)]).toEqual(['b', ['x'], ['x', 'a', 'b']])
  })
})

describe('traits', () => {
  const identify = (messageId: string, timestamp: number, traits: Record<string, unknown>) =>
    eventOf({ type: 'identify', event: 'Identify', messageId, timestamp, traits })

  it('keeps the value set last by event time, whatever came last', () => {
    const { traits, traitHistory } = profile(identify('b', T + 5, { plan: 'pro' }), identify('a', T, { plan: 'free' }))
    expect(traits).toEqual({ plan: 'pro' })
    expect(traitHistory['plan']!.map(({ value, event, messageId, source }) => [value, event, messageId, source])).toEqual([
      ['pro', 'Identify', 'b', 'web'], ['free', 'Identify', 'a', 'web'],
    ])
  })
  it('unsets by null and says so in the history', () => {
    const { traits, traitHistory } = profile(identify('a', T, { plan: 'free' }), identify('b', T + 1, { plan: null }))
    expect(traits).toEqual({})
    expect(traitHistory['plan']!.map(({ value }) => value)).toEqual([null, 'free'])
  })
  it('does not fill the history with a value that is sent again and again', () => {
    const again = Array.from({ length: 10 }, (_, n) => identify(`m${n}`, T + n, { plan: 'pro', address: { b: n < 5 ? 1 : 1, a: 2 } }))
    const { traitHistory } = profile(identify('x', T - 1, { plan: 'free' }), ...again)
    expect(traitHistory['plan']!.map(({ value, at }) => [value, at])).toEqual([
      ['pro', new Date(T + 9).toISOString()], ['free', new Date(T - 1).toISOString()],
    ])
    expect(traitHistory['address']).toHaveLength(1)
  })
  it('takes a name like __proto__ for a name', () => {
    const { traits } = profile(identify('a', T, JSON.parse('{"__proto__": "x", "constructor": 1}') as Record<string, unknown>))
    expect(JSON.stringify(traits)).toBe('{"__proto__":"x","constructor":1}')
  })
  it('takes a number that no store can keep for null', () => {
    const { traits } = profile(identify('a', T, JSON.parse('{"size": 1e400, "n": 1}') as Record<string, unknown>))
    expect(traits).toEqual({ n: 1 })
  })
  it('leaves the traits of a group to the group', () => {
    expect(profile(eventOf({ type: 'group', event: 'Group', traits: { name: 'Acme' } })).traits).toEqual({})
  })
  it('marks what is over a bound', () => {
    expect(profile(identify('a', T, { note: 'x'.repeat(bounds.traitValueChars + 1) })).partial).toEqual(['traits'])
    const many = Object.fromEntries(Array.from({ length: bounds.traits + 1 }, (_, n) => [`t${n}`, n]))
    const { traits, partial } = profile(identify('a', T, many))
    expect([Object.keys(traits).length, partial]).toEqual([bounds.traits, ['traits']])
  })
})

describe('traits that operations change', () => {
  const does = (messageId: string, timestamp: number, traitOps: TraitOps, over: Partial<CanonicalEvent> = {}) => eventOf({ messageId, timestamp, traitOps, ...over })

  it('follows the times of events, whatever came first', () => {
    const events = [
      does('e', T + 4, { append: { tags: ['b', 'b'] }, remove: { tags: ['a'] } }), does('d', T + 3, { union: { tags: ['a', 'c'] }, setOnce: { plan: 'free' } }),
      does('c', T + 2, { add: { visits: 0.2 } }), does('b', T + 1, { add: { visits: 0.1 } }, { traits: { plan: 'pro' } }), does('a', T, { setOnce: { plan: 'trial', visits: 1 } }),
    ]
    for (const some of [events, events.toReversed()]) expect(profile(...some)).toMatchObject({ traits: { plan: 'pro', visits: 1.3, tags: ['c', 'b', 'b'] }, partial: [] })
  })
  it('unsets, and deletes all that was said up to then, of every number of the person', () => {
    const before = [eventOf({ messageId: 'a', timestamp: T, traits: { plan: 'free', old: 1 } }), does('b', T + 1, { add: { visits: 5 } })]
    expect(profile(...before, does('c', T + 2, { unset: ['plan', 'visits'] })).traits).toEqual({ old: 1 })
    const gone = does('d', T + 3, { delete: true, add: { visits: 1 } }, { userId: 'u2', traits: { own: 1 } })
    const after = does('e', T + 4, { add: { visits: 1 } })
    const { traits, traitHistory, events } = profileOf([stateOf(gone), stateOf(after, ...before)], UTC)
    expect([traits, Object.keys(traitHistory), events]).toEqual([{ visits: 1 }, ['visits'], 4])
    expect(profile(gone, ...before, after).traits).toEqual({ visits: 1 })
  })
  it('does the operations of one event in a fixed order, unset last', () => {
    const once = does('a', T, { setOnce: { n: 1 }, add: { n: 2, gone: 1 }, append: { list: ['x', 'y'] }, remove: { list: ['x'] }, unset: ['gone', 'left'] }, { traits: { n: 5, left: { a: 1 } } })
    expect(profile(once).traits).toEqual({ n: 7, list: ['y'] })
  })
  it('tells in the history what was set and what the changes since made of it', () => {
    const { traitHistory } = profile(
      eventOf({ messageId: 'a', timestamp: T, traits: { n: 1 } }), does('b', T + 1, { add: { n: 1 } }), does('c', T + 2, { setOnce: { n: 9 } }),
      does('d', T + 3, { add: { n: 1 } }, { event: 'Paid', source: 'shop' }))
    expect(traitHistory['n']!.map(({ value, messageId, event, source }) => [value, messageId, event, source])).toEqual([
      [3, 'd', 'Paid', 'shop'], [2, 'b', 'Clicked', 'web'], [1, 'a', 'Clicked', 'web'],
    ])
  })
  it('leaves the operations of a group to the group', () => {
    expect(profile(does('a', T, { add: { n: 1 }, delete: true }, { type: 'group', event: 'Group' }), eventOf({ traits: { a: 1 } })).traits).toEqual({ a: 1 })
  })
  it('counts on exactly, and says that a set from before what it keeps makes it partial', () => {
    const adds = Array.from({ length: 300 }, (_, n) => does(`m${n}`, T + n, { add: { n: 0.1 } }))
    expect(profile(...adds.toReversed())).toMatchObject({ traits: { n: 30 }, partial: [] })
    expect(profile(eventOf({ messageId: 'x', timestamp: T - 1, traits: { n: 100 } }), ...adds)).toMatchObject({ traits: { n: 130 }, partial: [] })
    expect(profile(...adds, eventOf({ messageId: 'x', timestamp: T + 100, traits: { n: 100 } })).partial).toEqual(['traits'])
    expect(JSON.stringify(stateOf(...adds)).length).toBeLessThan(10_000)
  })
  it('reads a state that was stored before there were operations', () => {
    const { deleted, ...stored } = JSON.parse(JSON.stringify(stateOf(eventOf({ traits: { n: 1 } })))) as ProfileState
    expect([deleted, stored.traits]).toEqual([undefined, [['n', [[T, 'm1', 1, 'Clicked', 'web']]]]])
    expect(profileOf([addStates(stored, stateOf(does('b', T + 1, { add: { n: 1 } })))], UTC).traits).toEqual({ n: 2 })
  })
})

describe('touches', () => {
  const page = (messageId: string, timestamp: number, context: Record<string, unknown>, channel = 'web') =>
    eventOf({ type: 'page', event: 'Page Viewed', messageId, timestamp, context, channel })

  it('keeps the first and the last event that says where the person came from', () => {
    const { firstTouch, lastTouch } = profile(
      page('c', T + 2, { campaign: { source: 'wechat', medium: 'social', name: 'spring' } }),
      page('b', T + 1, { page: { url: 'https://shop.example/b', referrer: 'https://www.shop.example/a' } }),
      page('a', T, { page: { url: 'https://shop.example/a', referrer: 'https://search.example/?q=x' } }),
    )
    expect([firstTouch!.referrer, firstTouch!.messageId]).toEqual(['https://search.example/?q=x', 'a'])
    expect([lastTouch!.campaign.source, lastTouch!.channel, lastTouch!.messageId]).toEqual(['wechat', 'web', 'c'])
  })
  it('takes the placeholders of SDKs for nothing', () => {
    for (const nothing of ['', 'EMPTY', '$direct', 'null', '未取到值,直接打开', 'url的domain解析失败'])
      expect(profile(page('a', T, { campaign: { source: nothing }, page: { referrer: nothing } })).firstTouch).toBeNull()
  })
  it('tells the first and the last channel', () => {
    const { firstChannel, lastChannel, channels } = profile(page('b', T + 1, {}, 'shop'), page('a', T, {}, 'web'))
    expect([firstChannel, lastChannel, channels.map(({ name, count }) => [name, count])]).toEqual(['web', 'shop', [['shop', 1], ['web', 1]]])
  })
})

describe('activity', () => {
  const at = (...minutes: number[]) => minutes.map((minute, n) => eventOf({ messageId: `m${n}`, timestamp: T + minute * MINUTE }))

  it('joins events at most 30 minutes apart to one session, in any order of arrival', () => {
    const { activity } = profile(...at(100, 0, 60, 30, 91))
    expect([activity.sessions, activity.sessionsTotalMs, activity.sessionsAverageMs]).toEqual([2, 69 * MINUTE, 69 * MINUTE / 2])
    expect(activity.lastSessionAt).toBe(new Date(T + 91 * MINUTE).toISOString())
  })
  it('joins two sessions when a late event comes between them', () => {
    expect(profile(...at(0, 50)).activity.sessions).toBe(2)
    expect(profile(...at(0, 50, 25)).activity.sessions).toBe(1)
  })
  it('counts days and hours in the zone of the project', () => {
    const events = [eventOf({ timestamp: Date.UTC(2026, 0, 5, 15, 59, 59) }), eventOf({ timestamp: Date.UTC(2026, 0, 5, 16), messageId: 'm2' })]
    expect(profile(...events).activity.days).toBe(1)
    const { days, hours } = profileOf([stateOf(...events)], createZone('Asia/Shanghai')).activity
    expect([days, hours[23], hours[0]]).toEqual([2, 1, 1])
  })
  it('knows the hour that a summer time takes away', () => {
    const zone = createZone('Europe/Berlin')
    const change = Date.UTC(2026, 2, 29, 1)
    expect([zone.offsetMs(change - 1), zone.offsetMs(change)]).toEqual([3_600_000, 7_200_000])
  })
  it('does not count what is only told of a person as activity', () => {
    const { activity, firstSeen, events } = profile(eventOf({ type: 'identify', event: 'Identify' }))
    expect([activity.days, activity.sessions, firstSeen, events]).toEqual([0, 0, new Date(T).toISOString(), 1])
  })
  it('equals a naive reading of the times', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 500 * MINUTE }), { minLength: 1, maxLength: 40 }), (times) => {
      const { activity } = profile(...times.map((time, n) => eventOf({ messageId: `m${n}`, timestamp: T + time })))
      const sorted = times.toSorted((a, b) => a - b)
      let [count, total] = [1, 0]
      sorted.slice(1).forEach((time, n) => (time - sorted[n]! > 30 * MINUTE ? count++ : (total += time - sorted[n]!)))
      expect([activity.sessions, activity.sessionsTotalMs]).toEqual([count, total])
    }), { numRuns: 500 })
  })
})

describe('orders', () => {
  const order = (id: string | null, revenue: string | null, over: Partial<CanonicalEvent> = {}) =>
    eventOf({ event: 'Order Completed', messageId: `m-${id}-${over.timestamp}-${over.event}`, properties: id === null ? {} : { order_id: id }, revenue, ...over })

  it('counts an order that is sent again once, with its last amount', () => {
    const { orders } = profile(order('o1', '10'), order('o1', '12.5', { timestamp: T + 1 }))
    expect([orders.count, orders.byCurrency]).toEqual([
      1, [{ currency: 'CNY', orders: 1, revenue: '12.5', refunds: '0', net: '12.5', average: '12.5' }],
    ])
  })
  it('adds money exactly, by currency', () => {
    const { orders } = profile(order('a', '0.1'), order('b', '0.2'), order('c', '90071992547409.9301', { currency: 'USD' }))
    expect(orders.byCurrency.map(({ currency, revenue, average }) => [currency, revenue, average])).toEqual([
      ['CNY', '0.3', '0.15'], ['USD', '90071992547409.9301', '90071992547409.9301'],
    ])
  })
  it('adds partial refunds, and takes the whole order back when no amount is named', () => {
    const partly = order('o1', '-3', { event: 'Order Refunded', timestamp: T + 1 })
    const wholly = order('o1', null, { event: 'Order Refunded', timestamp: T + 2 })
    expect(profile(order('o1', '10'), partly).orders.byCurrency[0]).toMatchObject({ refunds: '3', net: '7' })
    expect(profile(wholly, partly, order('o1', '10')).orders.byCurrency[0]).toMatchObject({ refunds: '10', net: '0', orders: 1 })
  })
  it('takes an order without an id for one of its own, and other revenue apart', () => {
    const { orders, otherRevenue } = profile(order(null, '1', { messageId: 'x' }), order(null, '2', { messageId: 'y' }),
      eventOf({ event: 'Subscription Renewed', messageId: 'z', revenue: '30' }))
    expect([orders.count, orders.byCurrency[0]!.revenue, otherRevenue]).toEqual([2, '3', [{ currency: 'CNY', revenue: '30', events: 1 }]])
  })
  it('tells the last order and the mean interval', () => {
    const { orders } = profile(order('a', '1'), order('b', '2', { timestamp: T + 1000 }), order('c', '3', { timestamp: T + 4000 }))
    expect([orders.intervalMs, orders.last]).toEqual([2000, { id: 'c', at: new Date(T + 4000).toISOString(), amount: '3', currency: 'CNY' }])
  })
  it('takes an update for a word on the amount and not for an order', () => {
    const update = eventOf({ event: 'Order Updated', messageId: 'u', timestamp: T + 1, properties: { order_id: 'o1', total: 8 } })
    expect(profile(update).orders.count).toBe(0)
    expect(profile(update, order('o1', '10')).orders.byCurrency[0]!.revenue).toBe('8')
  })
})

describe('consent and devices', () => {
  it('keeps the last word on each category', () => {
    const said = (messageId: string, timestamp: number, categoryPreferences: Record<string, boolean>) =>
      eventOf({ messageId, timestamp, context: { consent: { categoryPreferences } } })
    expect(profile(said('b', T + 1, { ads: false }), said('a', T, { ads: true, analytics: true })).consent).toEqual({ ads: false, analytics: true })
  })
  it('keeps the devices seen last', () => {
    const events = Array.from({ length: bounds.devices + 5 }, (_, n) => eventOf({ messageId: `m${n}`, anonymousId: `a${n}`, timestamp: T + n }))
    const { devices, partial } = profile(...events)
    expect([devices.length, devices.some(({ id }) => id === 'a4'), partial]).toEqual([bounds.devices, false, ['devices']])
  })
})

// ── addition ───────────────────────────────────────────────────────────────────────────────────────────
const small = fc.constantFrom('a', 'b', 'c', 'd')
const amount = fc.constantFrom(null, '0.1', '0.2', '10', '-3', '12345678901.2345')
const told = <Value>(value: fc.Arbitrary<Value>) => fc.dictionary(small, value, { minKeys: 1, maxKeys: 2, noNullPrototype: true })
const traitOps: fc.Arbitrary<TraitOps> = fc.oneof(
  // Values are mostly different: of one that is said three times the middle is not kept (see below).
  fc.record({ setOnce: told(fc.nat()) }),
  fc.record({ add: told(fc.constantFrom(0.1, 0.2, 1, -3)) }),
  fc.record({ append: told(fc.constantFrom(['x'], ['x', 1])), unset: fc.uniqueArray(small, { minLength: 1, maxLength: 2 }) }),
  fc.record({ union: told(fc.constant(['x', 'y'])), remove: told(fc.constant([{ k: 1 }])) }),
  fc.constant({ delete: true } as const),
)
const anyEvent: fc.Arbitrary<CanonicalEvent> = fc.record({
  messageId: fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5', 'm6'),
  type: fc.constantFrom<EventType>('track', 'track', 'track', 'page', 'identify'),
  event: fc.constantFrom('Order Completed', 'Order Updated', 'Order Refunded', 'Order Cancelled', 'Paid', 'Clicked', '__proto__'),
  userId: fc.constantFrom('u1', 'u2', 'u3'),
  anonymousId: fc.option(small),
  timestamp: fc.integer({ min: 0, max: 60 }).map((n) => T + n * 7 * MINUTE),
  channel: fc.constantFrom('', 'web', 'shop'),
  properties: fc.record({ order_id: small, total: fc.constantFrom(3, 4.5) }, { requiredKeys: [] }),
  traits: fc.dictionary(small, fc.constantFrom<unknown>('x', 'y', 1, null, { k: 1, l: 2 }, { l: 2, k: 1 }, [1]), { noNullPrototype: true }),
  traitOps: fc.option(traitOps, { freq: 2 }),
  context: fc.record({
    campaign: fc.record({ source: fc.constantFrom('', 's1', 's2', '$direct') }),
    consent: fc.record({ categoryPreferences: fc.dictionary(small, fc.boolean(), { noNullPrototype: true }) }),
  }, { requiredKeys: [] }),
  revenue: amount,
  currency: fc.constantFrom('CNY', 'USD'),
}).map((some) => eventOf(some))

interface Case { readonly events: readonly CanonicalEvent[]; readonly slots: readonly number[]; readonly ranks: readonly number[] }
const anyCase: fc.Arbitrary<Case> = fc.array(anyEvent, { maxLength: 40 }).chain((events) => fc.record({
  events: fc.constant(events),
  slots: fc.array(fc.nat({ max: 4 }), { minLength: events.length, maxLength: events.length }),
  ranks: fc.array(fc.nat(), { minLength: events.length + 5, maxLength: events.length + 5 }),
}))

/** Events in another order, split into slots, the slots added by another tree. */
const otherWay = ({ events, slots, ranks }: Case): ProfileState => {
  const order = events.map((_, n) => n).sort((a, b) => ranks[a]! - ranks[b]!)
  const parts = Array.from({ length: 5 }, (_, slot) => stateOf(...order.filter((n) => slots[n] === slot).map((n) => events[n]!)))
  for (let step = 0; parts.length > 1; step++) {
    const [a] = parts.splice(ranks[step]! % parts.length, 1)
    const [b] = parts.splice(ranks[step + 1]! % parts.length, 1)
    parts.push(addStates(JSON.parse(JSON.stringify(a)) as ProfileState, b!))
  }
  return parts[0]!
}

const RUNS = Number(process.env['MILLRACE_PROPERTY_RUNS'] ?? 700)

describe('addition of states', () => {
  it('is the same for any order of events, any split into slots and any tree of additions', () => {
    fc.assert(fc.property(anyCase, (some) => { expect(otherWay(some)).toEqual(stateOf(...some.events)) }), { numRuns: RUNS })
  })
  it('is so over the bounds too', () => {
    const before = { ...bounds }
    try {
      Object.assign(bounds, { keys: 2, traits: 2, traitVersions: 2, eventNames: 3, channels: 1, consentCategories: 2, devices: 2, orders: 2, currencies: 1, activeQuarters: 6 })
      fc.assert(fc.property(anyCase, (some) => {
        const [one, other] = [stateOf(...some.events), otherWay(some)]
        // What a delete hides may have pushed other names out before it came; then both are not told for whole.
        const isWhole = !one.deleted || ![...one.partial, ...other.partial].includes('traits')
        const told = ({ traits, partial, ...others }: ProfileState): unknown => (isWhole ? { ...others, traits, partial } : others)
        expect(told(other)).toEqual(told(one))
      }), { numRuns: RUNS })
    } finally {
      Object.assign(bounds, before)
    }
  })
  it('leaves its arguments alone, and copies do not share what changes', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 10 }), fc.array(anyEvent, { maxLength: 10 }), anyEvent, (x, y, more) => {
      const [a, b] = [stateOf(...x), stateOf(...y)]
      const told = JSON.stringify([a, b])
      const copy = copyState(addStates(a, b))
      includeEvent(copy, more, 'user_id:u9', 9)
      includeEvent(copyState(a), more, 'user_id:u9', 9)
      expect(JSON.stringify([a, b])).toBe(told)
    }), { numRuns: 300 })
  })
  it('is told in the same words for any order of slots', () => {
    fc.assert(fc.property(fc.array(fc.array(anyEvent, { maxLength: 5 }), { maxLength: 4 }), (slots) => {
      const states = slots.map((events) => stateOf(...events))
      expect(JSON.stringify(profileOf(states.toReversed(), UTC))).toBe(JSON.stringify(profileOf(states, UTC)))
    }), { numRuns: 300 })
  })
})
