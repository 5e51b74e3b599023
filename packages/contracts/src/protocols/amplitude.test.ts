import { describe, expect, it } from 'vitest'
import { decodeEvent } from '../decode.ts'
import { isRefusal } from '../errors.ts'
import type { CanonicalEvent } from '../event.ts'

const receivedAt = Date.parse('2024-06-01T12:00:00Z')
const identity = { types: [], blockedValues: [], keysPerPersonMax: 1000, mergedPersonsMax: 10, usersPerDeviceMax: 50 }

const decode = (raw: object): CanonicalEvent => {
  const line = { event_type: 'Seen', user_id: 'u1', insert_id: 'm', ...raw }
  const event = decodeEvent({ source: 'web', protocol: 'amplitude', receivedAt, sentAt: null }, { id: 1, currency: 'EUR', identity }, line)
  if (isRefusal(event)) throw new Error(event.code)
  return event
}
const paid = (raw: object) => {
  const { revenue, currency } = decode(raw)
  return [revenue, currency]
}

describe('an event of Amplitude', () => {
  it('is a page, an identify, a group, or has its own name', () => {
    const types = ['[Amplitude] Page Viewed', '$identify', 'session_start', '[Amplitude] Element Clicked'].map((event_type) => decode({ event_type }).type)
    expect(types).toEqual(['page', 'identify', 'track', 'track'])
    expect(decode({ event_type: 'session_start' }).event).toBe('session_start')
  })

  it('has the ids of user and device', () => {
    expect(decode({ device_id: 'd1' })).toMatchObject({ userId: 'u1', anonymousId: 'd1' })
    expect(decode({ user_id: null, device_id: 'd1' })).toMatchObject({ userId: null, anonymousId: 'd1' })
    expect(() => decode({ user_id: '' })).toThrow('IDENTITY_MISSING')
  })

  it('copies what is known to the context and keeps everything else', () => {
    const event_properties = {
      '[Amplitude] Page Location': 'https://shop.example/a?b', '[Amplitude] Page Path': '/a', '[Amplitude] Page Title': 'A', referrer: 'https://search.example/a', referring_domain: 'search.example',
      utm_source: 'news', utm_medium: 'email', utm_campaign: 'spring', utm_term: 'tea', utm_content: 'top', more: [1],
    }
    const event = decode({
      event_properties, platform: 'Web', os_name: 'Chrome', os_version: '140', device_model: 'Linux', device_brand: 'B', device_manufacturer: 'F', device_family: 'X', carrier: 'T', language: 'en-GB',
      ip: '$remote', user_agent: 'Mozilla', app_version: '2.1', session_id: 1_714_550_400_000, library: 'amplitude-ts/2.47.0', city: 'Paris', region: 'IDF', country: 'France', location_lat: 48.8, location_lng: 2.3,
      adid: 'ad', idfv: 'v', plan: { branch: 'main' }, event_id: 3, partner_id: null,
    })
    expect(event.properties).toEqual(event_properties)
    expect(event).toMatchObject({ sessionId: '1714550400000', channel: 'email' })
    expect(event.context).toEqual({
      page: { url: 'https://shop.example/a?b', path: '/a', title: 'A', referrer: 'https://search.example/a', referringDomain: 'search.example' },
      campaign: { source: 'news', medium: 'email', name: 'spring', term: 'tea', content: 'top' }, os: { name: 'Chrome', version: '140' },
      device: { type: 'Web', model: 'Linux', brand: 'B', manufacturer: 'F', family: 'X', advertisingId: 'ad', id: 'v' }, network: { carrier: 'T' }, locale: 'en-GB', userAgent: 'Mozilla', app: { version: '2.1' },
      sessionId: 1_714_550_400_000, library: { name: 'amplitude-ts', version: '2.47.0' }, location: { city: 'Paris', region: 'IDF', country: 'France', latitude: 48.8, longitude: 2.3 },
      amplitude: { plan: { branch: 'main' }, event_id: 3 },
    })
    expect(decode({ ip: '203.0.113.9', session_id: -1, version_name: '2', idfa: 'ad', event_properties: { '[Amplitude] Page URL': 'https://shop.example/a', '[Amplitude] Previous Page Location': 'https://shop.example/', utm_term: 'EMPTY' } }).context)
      .toEqual({ ip: '203.0.113.9', app: { version: '2' }, device: { advertisingId: 'ad' }, page: { url: 'https://shop.example/a', referrer: 'https://shop.example/' } })
  })

  it('comes by the way of its platform, else of its library', () => {
    expect([{ platform: 'iOS' }, { platform: 'Android' }, { platform: 'Web' }, { library: 'amplitude-node-ts/1.5.73' }].map((raw) => decode(raw).channel)).toEqual(['mobile', 'mobile', 'web', 'server'])
  })

  it('has the revenue that it names, else price × quantity, and no other', () => {
    expect(paid({ event_type: 'revenue_amount', event_properties: { $price: 3.25, $quantity: 2, $currency: 'usd' } })).toEqual(['6.5', 'USD'])
    expect(paid({ event_properties: { $price: '0.1', $quantity: 3, $revenue: 1 } })).toEqual(['1', 'EUR'])
    expect(paid({ price: 0.1, quantity: 3, currency: 'CNY' })).toEqual(['0.3', 'CNY'])
    expect(paid({ price: -4 })).toEqual(['-4', 'EUR'])
    expect(paid({ price: 100, quantity: 1 })).toEqual(['100', 'EUR'])
    expect(paid({ revenue: 7, price: 1 })).toEqual(['7', 'EUR'])
    expect(paid({ event_type: 'Order Completed', event_properties: { revenue: 12.5, total: 20, currency: 'usd' }, price: 1 })).toEqual(['12.5', 'USD'])
    expect(paid({ event_properties: { price: 5 } })).toEqual([null, 'EUR'])
  })

  it('reads traits and their operations on any event', () => {
    expect(decode({ event_type: '$identify', user_properties: { $set: { a: 1 }, b: 2 } }).traits).toEqual({ a: 1, b: 2 })
    const opsOf = (user_properties: object): unknown => decode({ event_type: '$identify', user_properties }).traitOps
    expect(opsOf({ $setOnce: { a: 1 }, $add: { n: -2 }, $unset: { x: '-' }, $remove: { tags: ['a'] } })).toEqual({ setOnce: { a: 1 }, add: { n: -2 }, remove: { tags: ['a'] }, unset: ['x'] })
    expect(opsOf({ $append: { seen: 'p1' }, $prepend: { seen: ['p0'], first: 1 } })).toEqual({ append: { seen: ['p0', 'p1'], first: [1] } })
    expect(opsOf({ $preInsert: { tags: 'a' }, $postInsert: { tags: ['b', 'c'] } })).toEqual({ union: { tags: ['a', 'b', 'c'] } })
    expect(opsOf({ $clearAll: '-' })).toEqual({ delete: true })
    expect(opsOf({ $set: { a: 1 } })).toBeNull()
  })

  it('names the group of its user, and a group’s own properties are no person’s', () => {
    expect(decode({ event_type: '$identify', groups: { company: 'g1' }, user_properties: { $set: { company: 'g1' } } })).toMatchObject({
      type: 'identify', groupId: 'g1', traits: { company: 'g1' }, context: { groups: { company: 'g1' } },
    })
    const group = { event_type: '$groupidentify', groups: { company: 'g1' }, group_properties: { $set: { name: 'Shop' } } }
    expect(decode({ ...group, user_id: undefined })).toMatchObject({ type: 'group', groupId: 'g1', userId: null, anonymousId: null, traits: { name: 'Shop' }, context: { groupType: 'company' } })
    expect(decode(group).userId).toBe('u1')
  })

  it('has a time in ms', () => {
    expect(decode({ time: 1_714_550_400_000 }).timestamp).toBe(1_714_550_400_000)
  })

  it('is told from others by its insert id, else by device, number and time', () => {
    expect(decode({}).messageId).toBe('m')
    const counted = { insert_id: undefined, device_id: 'd1', event_id: 0, time: 1_714_550_400_000 }
    const id = decode(counted).messageId
    expect(id).toMatch(/^h-[0-9a-f]{32}$/)
    expect(decode({ ...counted, more: 1 }).messageId).toBe(id)
    for (const other of [{ device_id: 'd2' }, { user_id: 'user2' }, { event_id: 1 }, { time: 1_714_550_400_001 }]) expect(decode({ ...counted, ...other }).messageId).not.toBe(id)
    expect(decode({ insert_id: undefined, messageId: 'given' }).messageId).toBe('given')
  })
})
