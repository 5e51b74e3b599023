import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEvent } from './decode.ts'
import { isRefusal } from './errors.ts'
import type { CanonicalEvent } from './event.ts'
import { identitiesOf } from './filed-key.ts'
import type { Origin } from './record.ts'

const receivedAt = Date.parse('2024-06-01T12:00:00Z')
const origin: Origin = { source: 'web', protocol: 'segment', receivedAt, sentAt: null }
const identity = {
  types: [{ type: 'email', uniquePerPerson: false }, { type: 'mobile', uniquePerPerson: true }],
  blockedValues: ['Shop-Counter'], keysPerPersonMax: 1000, mergedPersonsMax: 10, usersPerDeviceMax: 50,
}
const project = { id: 1, currency: 'EUR', identity }

const decode = (raw: object, from: Partial<Origin> = {}): CanonicalEvent => {
  const event = decodeEvent({ ...origin, ...from }, project, { type: 'track', event: 'Seen', userId: 'u1', messageId: 'm', ...raw })
  if (isRefusal(event)) throw new Error(event.code)
  return event
}

describe('decodeEvent', () => {
  it('never throws, and gives the same event each time, whatever the line holds', () => {
    const types = fc.constantFrom('track', 'page', 'screen', 'identify', 'group', 'alias')
    const value = fc.jsonValue({ maxDepth: 3 })
    const line = fc.oneof(value, fc.record({
      type: types, event: fc.oneof({ weight: 9, arbitrary: fc.string({ minLength: 1 }) }, value), userId: fc.oneof({ weight: 9, arbitrary: fc.string() }, value),
      anonymousId: fc.oneof({ weight: 9, arbitrary: fc.string() }, value), previousId: fc.string(), groupId: fc.string(), messageId: value,
      timestamp: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(null, '2024-05-05', 1709179506) }, value), context: value, properties: value, traits: value, traitOps: value, sentAt: value,
    }, { requiredKeys: ['type', 'userId', 'previousId', 'groupId'] }))
    let decoded = 0
    fc.assert(fc.property(line, (raw) => {
      const text = JSON.stringify(raw)
      const event = decodeEvent(origin, project, JSON.parse(text))
      if (!isRefusal(event)) decoded++
      expect(decodeEvent(origin, project, JSON.parse(text))).toEqual(event)
    }), { seed: 7, numRuns: 3000 })
    expect(decoded).toBeGreaterThan(300)
  })

  it('normalises ids: trimmed, NFC, numbers as text, blocked values out', () => {
    expect(decode({ userId: '  cafe\u0301 ' }).userId).toBe('café')
    expect(decode({ userId: 42 }).userId).toBe('42')
    for (const blocked of ['', ' NULL ', 'undefined', '0', '000', '-1', 'Anonymous', 'guest', '00000000-0000-0000-0000-000000000000', 'shop-counter', false]) {
      expect([blocked, decode({ userId: blocked }).userId]).toEqual([blocked, null])
    }
  })

  it('lays the context of the batch under that of the event, and the traits of the context under its own', () => {
    const event = decode({ type: 'identify', context: { ip: '1.1.1.1', traits: { plan: 'free', city: 'Bonn' } }, traits: { plan: 'pro' } },
      { context: { ip: '2.2.2.2', library: { name: 'analytics-go' } } })
    expect(event.context).toMatchObject({ ip: '1.1.1.1', library: { name: 'analytics-go' } })
    expect(event.traits).toEqual({ plan: 'pro', city: 'Bonn' })
    expect(decode({ type: 'group', groupId: 'g', traits: { name: 'Shop' }, context: { traits: { plan: 'pro' } } }).traits).toEqual({ name: 'Shop' })
  })

  it('reads operations on traits of any type but a group, whose traits are its own', () => {
    const traitOps = { add: { visits: 1 }, unset: ['plan'] }
    expect([decode({ traitOps }).traitOps, decode({}).traitOps]).toEqual([traitOps, null])
    expect(decode({ type: 'group', groupId: 'g', traitOps }).traitOps).toBeNull()
  })

  it('names pages and screens alike, and keeps their own name as a property', () => {
    expect(decode({ type: 'page', name: 'Home', properties: { url: '/' } })).toMatchObject({ event: 'Page Viewed', properties: { name: 'Home', url: '/' } })
    expect(decode({ type: 'identify', event: 'ignored' }).event).toBe('Identify')
  })

  it('tells the channel: said, else of the campaign, else of the library', () => {
    const channel = (context: object, more: object = {}) => decode({ context, ...more }).channel
    const library = { name: 'analytics.js' }
    expect(channel({ channel: 'shop', campaign: { medium: 'cpc' }, library })).toBe('shop')
    expect(channel({ campaign: { medium: 'cpc' }, library })).toBe('cpc')
    expect(channel({ library })).toBe('web')
    expect(channel({ library: { name: '@segment/analytics-node' } })).toBe('server')
    expect(channel({ library: { name: 'analytics-ios' } })).toBe('mobile')
    expect(channel({}, { channel: 'web' })).toBe('web')
    expect(channel({})).toBe('')
  })

  it('finds the session and the currency', () => {
    expect(decode({ context: { sessionId: 1700000000000 } }).sessionId).toBe('1700000000000')
    expect(decode({ properties: { session_id: 's1', currency: 'usd' } })).toMatchObject({ sessionId: 's1', currency: 'USD' })
    expect(decode({ properties: { currency: 'dollars' } })).toMatchObject({ sessionId: '', currency: 'EUR' })
  })

  it('gives a line without a message id one that depends on source, receipt and content alone', () => {
    const id = (raw: object, from: Partial<Origin> = {}) => decode({ ...raw, messageId: null }, from).messageId
    expect(id({})).toBe(id({}))
    expect(new Set([id({}), id({ userId: 'u2' }), id({}, { receivedAt: receivedAt + 1 }), id({}, { source: 'app' })]).size).toBe(4)
    expect(decode({ messageId: 'x'.repeat(300) }).messageId).toHaveLength(34)
  })
})

describe('the time of an event', () => {
  const at = (raw: object, from: Partial<Origin> = {}) => new Date(decode(raw, from).timestamp).toISOString()

  it('is the receipt where the sender tells none', () => {
    expect(at({})).toBe('2024-06-01T12:00:00.000Z')
    expect(at({ timestamp: '' })).toBe('2024-06-01T12:00:00.000Z')
  })
  it('is corrected by the clock of a sender that is minutes or hours off', () => {
    expect(at({ timestamp: '2024-06-01T09:00:00Z', sentAt: '2024-06-01T09:10:00Z' })).toBe('2024-06-01T11:50:00.000Z')
    expect(at({ timestamp: '2024-06-01T14:00:00Z' }, { sentAt: Date.parse('2024-06-01T14:30:00Z') })).toBe('2024-06-01T11:30:00.000Z')
  })
  it('is left alone for a small skew, or one of more than a day', () => {
    expect(at({ timestamp: '2024-06-01T11:00:00Z', sentAt: '2024-06-01T11:59:30Z' })).toBe('2024-06-01T11:00:00.000Z')
    expect(at({ timestamp: '2020-01-01T00:00:00Z', sentAt: '2020-01-01T00:00:00Z' })).toBe('2020-01-01T00:00:00.000Z')
  })
  it('is the caller\'s own word where the SDK writes its clock beside it', () => {
    const event = { timestamp: '2024-05-01T00:00:00Z', originalTimestamp: '2024-06-01T09:00:00Z', sentAt: '2024-06-01T09:00:00Z' }
    expect(at(event)).toBe('2024-05-01T00:00:00.000Z')
    expect(at({ originalTimestamp: '2024-06-01T09:00:00Z', sentAt: '2024-06-01T09:10:00Z' })).toBe('2024-06-01T11:50:00.000Z')
  })
  it('never lies behind the receipt, and is refused when it is more than an hour ahead or before 2000', () => {
    expect(at({ timestamp: '2024-06-01T12:59:00Z' })).toBe('2024-06-01T12:00:00.000Z')
    expect(() => at({ timestamp: '2024-06-01T13:00:01Z' })).toThrow('TOO_NEW')
    expect(() => at({ timestamp: '1999-12-31T23:59:59Z' })).toThrow('TOO_OLD')
    expect(() => at({ timestamp: {} })).toThrow('TIMESTAMP_INVALID')
  })
})

describe('identitiesOf', () => {
  const keys = (raw: object) => identitiesOf(project, decode(raw))
  it('gives the anonymous id beside a user id, and the declared types', () => {
    expect(keys({ anonymousId: 'a1' })).toEqual(['anonymous_id:a1'])
    expect(keys({ type: 'identify', traits: { email: ' Ada@Example.com ', mobile: 491, plan: 'x' } })).toEqual(['email:ada@example.com', 'mobile:491'])
    expect(keys({ properties: { mobile: '1' }, context: { traits: { email: 'b@x' } } })).toEqual(['email:b@x', 'mobile:1'])
  })
  it('takes no key from the traits of a group, from an alias, for nobody, or from a blocked value', () => {
    expect(keys({ type: 'group', groupId: 'g', traits: { email: 'office@x' } })).toEqual([])
    expect(keys({ type: 'alias', previousId: 'a', anonymousId: 'a9' })).toEqual([])
    expect(keys({ userId: 'null', traits: { email: 'a@x' } })).toEqual([])
    expect(keys({ traits: { email: 'null', mobile: '0000' } })).toEqual([])
  })
})
