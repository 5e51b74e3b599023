import { type CanonicalEvent, createZone, type EventType, keyOf } from '@millrace/contracts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addStates, bounds, copyState, emptyState, includeEvent, profileOf, type ProfileState } from './index.ts'

const UTC = createZone('UTC')
const T = Date.UTC(2026, 0, 5, 9)
const MINUTE = 60_000

const eventOf = (over: Partial<CanonicalEvent> = {}): CanonicalEvent => ({
  project: 1, messageId: 'm1', type: 'track', event: 'Clicked', userId: 'u1', anonymousId: null, previousId: null, groupId: null,
  timestamp: T, originalTimestamp: null, sentAt: null, receivedAt: T, source: 'web', protocol: 'segment', sessionId: '', channel: '',
  properties: {}, traits: {}, context: {}, revenue: null, currency: 'CNY', ...over,
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
      fc.assert(fc.property(anyCase, (some) => { expect(otherWay(some)).toEqual(stateOf(...some.events)) }), { numRuns: RUNS })
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
