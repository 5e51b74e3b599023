import { describe, expect, it } from 'vitest'
import { decodeEvent } from '../decode.ts'
import { isRefusal } from '../errors.ts'
import type { CanonicalEvent } from '../event.ts'

const receivedAt = Date.parse('2024-06-01T12:00:00Z')
const identity = { types: [], blockedValues: [], keysPerPersonMax: 1000, mergedPersonsMax: 10, usersPerDeviceMax: 50 }

const decode = (raw: object): CanonicalEvent => {
  const event = decodeEvent({ source: 'web', protocol: 'mixpanel', receivedAt, sentAt: null }, { id: 1, currency: 'EUR', identity }, raw)
  if (isRefusal(event)) throw new Error(event.code)
  return event
}
const track = (properties: object, event = 'Seen'): CanonicalEvent => decode({ event, properties: { token: 'wk', ...properties } })
const whoIs = ({ userId, anonymousId, previousId }: CanonicalEvent) => [userId, anonymousId, previousId]

describe('an event of Mixpanel', () => {
  it('is a page, an identify, an alias, or has its own name', () => {
    const types = ['$mp_web_page_view', 'Page View', '$identify', '$mp_click', 'Order Completed'].map((event) => track({ distinct_id: 'u1' }, event).type)
    expect(types).toEqual(['page', 'page', 'identify', 'track', 'track'])
    expect(track({ distinct_id: 'u1' }, '$mp_click').event).toBe('$mp_click')
  })

  it('tells devices from users', () => {
    expect(whoIs(track({ distinct_id: '$device:d1', $device_id: 'd1' }))).toEqual([null, 'd1', null])
    expect(whoIs(track({ distinct_id: '$device:d1' }))).toEqual([null, 'd1', null])
    expect(whoIs(track({ distinct_id: 'd1', $device_id: 'd1' }))).toEqual([null, 'd1', null])
    expect(whoIs(track({ distinct_id: 'u1' }))).toEqual(['u1', null, null])
    expect(whoIs(track({ distinct_id: 'u1', $user_id: 'u1', $device_id: 'd1' }))).toEqual(['u1', 'd1', null])
    expect(whoIs(track({ distinct_id: '$device:d1', $user_id: 'u1' }))).toEqual(['u1', 'd1', null])
    expect(whoIs(track({ distinct_id: 'u1', $identified_id: 'u1', $anon_id: '$device:d1' }, '$identify'))).toEqual(['u1', 'd1', null])
    expect(whoIs(track({ distinct_id: 'u1', $user_id: 'u1', $anon_distinct_id: '$device:d1' }, '$identify'))).toEqual(['u1', 'd1', null])
    expect(whoIs(track({ $identified_id: 'u1', $anon_id: 'd1' }, '$identify'))).toEqual(['u1', 'd1', null])
    expect(whoIs(track({ distinct_id: '' }))).toEqual([null, null, null])
  })

  it('takes an alias and a merge as of equals', () => {
    expect(whoIs(track({ distinct_id: 'u1', alias: 'old' }, '$create_alias'))).toEqual(['u1', null, 'old'])
    expect(whoIs(track({ $distinct_ids: ['$device:d1', 'u1'] }, '$merge'))).toEqual(['u1', null, 'd1'])
  })

  it('copies what is known to the context and keeps all properties but the key', () => {
    const properties = {
      distinct_id: 'u1', mp_lib: 'web', $lib_version: '2', $current_url: 'https://shop.example/a', current_url_path: '/a', current_page_title: 'A',
      $referrer: 'https://search.example/a', $referring_domain: 'search.example', utm_source: 'news', utm_medium: 'email', utm_campaign: 'spring', utm_term: 'tea', utm_content: 'top',
      $os: 'Linux', $os_version: '6', $browser: 'Chrome', $browser_version: 140, $device: 'N', $model: 'M', $manufacturer: 'F', $brand: 'B', $screen_width: 1280, $screen_height: 720,
      $user_agent: 'Mozilla', $locale: 'en-GB', timezone: 'UTC', $app_version_string: '2.1', $app_build_number: 7, $city: 'Paris', $region: 'IDF', mp_country_code: 'FR', ip: '203.0.113.9', $x: [1],
    }
    const event = track(properties)
    expect(event.properties).toEqual(properties)
    expect(event.context).toEqual({
      library: { name: 'web', version: '2' }, page: { url: 'https://shop.example/a', path: '/a', title: 'A', referrer: 'https://search.example/a', referringDomain: 'search.example' },
      campaign: { source: 'news', medium: 'email', name: 'spring', term: 'tea', content: 'top' }, os: { name: 'Linux', version: '6' }, browser: { name: 'Chrome', version: 140 },
      device: { name: 'N', model: 'M', manufacturer: 'F', brand: 'B' }, screen: { width: 1280, height: 720 }, userAgent: 'Mozilla', locale: 'en-GB', timezone: 'UTC',
      app: { version: '2.1', build: 7 }, location: { city: 'Paris', region: 'IDF', country: 'FR' }, ip: '203.0.113.9',
    })
    expect(track({ distinct_id: 'u1', ip: '1', $referrer: '$direct' }).context).toEqual({})
    expect(track({ distinct_id: 'u1', $ip: '203.0.113.9' }).context).toEqual({ ip: '203.0.113.9' })
  })

  it('has a time in seconds, with a fraction or without, or in ms', () => {
    for (const time of [1_714_550_400, 1_714_550_400.0004, 1_714_550_400_000]) expect(track({ distinct_id: 'u1', time }).timestamp).toBe(1_714_550_400_000)
  })

  it('has revenue and currency of its properties', () => {
    expect(track({ distinct_id: 'u1', revenue: 12.5, currency: 'usd' }, 'Order Completed')).toMatchObject({ revenue: '12.5', currency: 'USD' })
  })

  it('is told from others by insert id, name, person and time together', () => {
    const line = { distinct_id: 'u1', $insert_id: 'i', time: 1_714_550_400 }
    const id = track(line).messageId
    expect(id).toMatch(/^h-[0-9a-f]{32}$/)
    expect(track({ ...line, sent_again: true }).messageId).toBe(id)
    for (const other of [{ distinct_id: 'u2' }, { $insert_id: 'j' }, { time: 1_714_550_401 }]) expect(track({ ...line, ...other }).messageId).not.toBe(id)
    expect(track(line, 'Liked').messageId).not.toBe(id)
    expect(decode({ event: 'Seen', properties: { distinct_id: 'u1' }, messageId: 'given' }).messageId).toBe('given')
  })
})

describe('an operation of Mixpanel', () => {
  const engage = (raw: object) => ({ $token: 'wk', $distinct_id: 'u1', ...raw })

  it('on a person is an identify, with Mixpanel’s names and the plain ones', () => {
    const event = decode(engage({ $set: { $email: 'ada@example.com', tier: 'gold' }, $device_id: 'd1', $time: 1_714_550_400, $ip: '0', $more: 1 }))
    expect(event).toMatchObject({
      type: 'identify', userId: 'u1', anonymousId: 'd1', timestamp: 1_714_550_400_000,
      traits: { email: 'ada@example.com', $email: 'ada@example.com', tier: 'gold' }, properties: { $more: 1 },
    })
    expect(event.context).toEqual({})
    expect(decode(engage({ $set: { mp_lib: 'swift', $lib_version: '4' }, $ip: '203.0.113.9' })).context).toEqual({ library: { name: 'swift', version: '4' }, ip: '203.0.113.9' })
    const named = { $email: 'e', $name: 'n', $first_name: 'f', $last_name: 'l', $phone: 'p', $avatar: 'a', $created: 'c' }
    expect(decode(engage({ $set: named })).traits).toEqual({ ...named, email: 'e', name: 'n', firstName: 'f', lastName: 'l', phone: 'p', avatar: 'a', createdAt: 'c' })
    expect(whoIs(decode(engage({ $distinct_id: '$device:d1', $set: {} })))).toEqual([null, 'd1', null])
  })

  it('is kept as what it does', () => {
    const opsOf = (raw: object): unknown => decode({ $distinct_id: 'u1', ...raw }).traitOps
    expect(opsOf({ $set_once: { $name: 'Ada' } })).toEqual({ setOnce: { name: 'Ada', $name: 'Ada' } })
    expect(opsOf({ $add: { visits: 2, left: -1 } })).toEqual({ add: { visits: 2, left: -1 } })
    expect(opsOf({ $append: { seen: 'p1', pairs: [1, 2] } })).toEqual({ append: { seen: ['p1'], pairs: [[1, 2]] } })
    expect(opsOf({ $union: { tags: ['a', 'b'] } })).toEqual({ union: { tags: ['a', 'b'] } })
    expect(opsOf({ $remove: { tags: 'a' } })).toEqual({ remove: { tags: ['a'] } })
    expect(opsOf({ $unset: ['plan', 5] })).toEqual({ unset: ['plan'] })
    expect(opsOf({ $delete: '' })).toEqual({ delete: true })
    expect(opsOf({ $set: { a: 1 } })).toBeNull()
  })

  it('that charges is no order of its own', () => {
    const charge = engage({ $append: { $transactions: { $amount: 12.5 } } })
    expect(decode(charge).revenue).toBeNull()
    expect(decode(charge).traitOps).toEqual({ append: { $transactions: [{ $amount: 12.5 }] } })
  })

  it('on a group makes no person', () => {
    expect(decode({ $token: 'wk', $group_key: 'company', $group_id: 'g1', $set: { name: 'Shop' } })).toMatchObject({
      type: 'group', groupId: 'g1', userId: null, anonymousId: null, traits: { name: 'Shop' }, context: { groupType: 'company' },
    })
  })
})
