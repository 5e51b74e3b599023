import { describe, expect, it } from 'vitest'
import { decodeEvent } from '../decode.ts'
import { isRefusal } from '../errors.ts'
import type { CanonicalEvent } from '../event.ts'
import { filedKeyOf } from '../filed-key.ts'

const receivedAt = Date.parse('2024-06-01T12:00:00Z')
const identity = { types: [], blockedValues: [], keysPerPersonMax: 1000, mergedPersonsMax: 10, usersPerDeviceMax: 50 }
const project = { id: 1, currency: 'EUR', identity }

const decode = (raw: object, sentAt: number | null = null): CanonicalEvent => {
  const event = decodeEvent({ source: 'web', protocol: 'posthog', receivedAt, sentAt }, project, { event: 'Seen', distinct_id: 'u1', uuid: 'm', ...raw })
  if (isRefusal(event)) throw new Error(event.code)
  return event
}
const who = (raw: object) => {
  const { userId, anonymousId, previousId } = decode(raw)
  return [userId, anonymousId, previousId]
}

describe('an event of PostHog', () => {
  it.each([
    ['$pageview', 'page', 'Page Viewed'], ['$screen', 'screen', 'Screen Viewed'], ['$set', 'identify', 'Identify'], ['$set_once', 'identify', 'Identify'],
    ['$unset', 'identify', 'Identify'], ['$delete_person_property', 'identify', 'Identify'],
    ['$pageleave', 'track', '$pageleave'], ['$feature_flag_called', 'track', '$feature_flag_called'], ['Order Completed', 'track', 'Order Completed'],
  ])('%s is of type %s', (event, type, name) => {
    expect(decode({ event })).toMatchObject({ type, event: name })
  })

  it('has the id of a user where the SDK says so, else where no sign is against it', () => {
    expect(who({})).toEqual(['u1', null, null])
    expect(who({ distinct_id: 'd', properties: { $device_id: 'd' } })).toEqual([null, 'd', null])
    expect(who({ distinct_id: 'd', properties: { $device_id: 'e', $is_identified: false } })).toEqual([null, 'd', null])
    expect(who({ properties: { $device_id: 'd', $is_identified: true } })).toEqual(['u1', 'd', null])
    expect(who({ properties: { $process_person_profile: false } })).toEqual([null, 'u1', null])
    expect(who({ options: { process_person_profile: false } })).toEqual([null, 'u1', null])
    expect(who({ distinct_id: undefined, properties: { distinct_id: 'u2' } })).toEqual(['u2', null, null])
    expect(who({ properties: { distinct_id: 'u2' } })).toEqual(['u1', null, null])
    expect(who({ properties: { $device_id: 'u1', $is_identified: true } })).toEqual(['u1', null, null])
  })

  it('links both ids of an identify, and of any event that names its anonymous one', () => {
    expect(who({ event: '$identify', properties: { $anon_distinct_id: 'a1', $device_id: 'd' } })).toEqual(['u1', 'a1', null])
    expect(who({ event: '$identify', properties: { $is_identified: false } })).toEqual(['u1', null, null])
    expect(who({ properties: { $anon_distinct_id: 'a1', $process_person_profile: false } })).toEqual(['u1', 'a1', null])
  })

  it('takes an alias in both directions', () => {
    expect(who({ event: '$create_alias', properties: { distinct_id: 'u1', alias: 'a1' } })).toEqual(['u1', null, 'a1'])
    expect(who({ event: '$create_alias', distinct_id: 'now', properties: { distinct_id: 'u1', alias: 'a1' } })).toEqual(['u1', null, 'a1'])
    expect(who({ event: '$create_alias', distinct_id: 'a1', properties: { distinct_id: 'a1', alias: 'u1' } })).toEqual(['a1', null, 'u1'])
    expect(who({ event: '$merge_dangerously', properties: { alias: 'u2' } })).toEqual(['u1', null, 'u2'])
  })

  it('makes no person of a group, unless the browser SDK names one', () => {
    const properties = { $group_type: 'company', $group_key: 'g1', $group_set: { name: 'Shop' } }
    const made = decode({ event: '$groupidentify', distinct_id: '7bc0d260-e78f-4105-ab25-dc776213eea5', properties })
    expect(made).toMatchObject({ type: 'group', userId: null, anonymousId: null, groupId: 'g1', traits: { name: 'Shop' }, context: { groupType: 'company' } })
    expect(filedKeyOf(project, made)).toMatch(/^none:/)
    expect(who({ event: '$groupidentify', properties: { ...properties, $is_identified: true, $device_id: 'd' } })).toEqual(['u1', 'd', null])
    expect(who({ event: '$groupidentify', distinct_id: 'd', properties: { ...properties, $is_identified: false, $device_id: 'd' } })).toEqual([null, 'd', null])
  })

  it('names the group of an event, where it is one alone', () => {
    expect(decode({ properties: { $groups: { company: 'g1' } } })).toMatchObject({ groupId: 'g1', context: { groups: { company: 'g1' } } })
    expect(decode({ properties: { $groups: { company: 'g1', team: 't1' } } })).toMatchObject({ groupId: null, context: { groups: { team: 't1' } } })
  })

  it('copies what is known to the context and keeps the properties whole', () => {
    const properties = {
      $current_url: 'https://shop.example/a?b', $pathname: '/a', title: 'A', $title: 'not this', $referrer: 'https://search.example/a', $referring_domain: 'search.example',
      utm_source: 'news', utm_medium: 'email', utm_campaign: 'spring', utm_term: 'tea', utm_content: 'top', $session_id: 's1', $lib: 'web', $lib_version: '1.2', $ip: '203.0.113.9',
      $raw_user_agent: 'Mozilla', $browser_language: 'en-GB', $timezone: 'UTC', $os: 'Linux', $os_version: '6', $browser: 'Chrome', $browser_version: 140,
      $device_type: 'Desktop', $device_model: 'M', $device_manufacturer: 'F', $device_name: 'N', $screen_width: 1280, $screen_height: 720,
      $app_name: 'Shop', $app_version: '2.1', $app_build: 7, $app_namespace: 'example.shop', $unknown: { a: 1 },
    }
    const event = decode({ properties })
    expect(event.properties).toEqual(properties)
    expect(event).toMatchObject({ sessionId: 's1', channel: 'email' })
    expect(event.context).toEqual({
      page: { url: 'https://shop.example/a?b', path: '/a', title: 'A', referrer: 'https://search.example/a', referringDomain: 'search.example' },
      campaign: { source: 'news', medium: 'email', name: 'spring', term: 'tea', content: 'top' }, sessionId: 's1', library: { name: 'web', version: '1.2' }, ip: '203.0.113.9',
      userAgent: 'Mozilla', locale: 'en-GB', timezone: 'UTC', os: { name: 'Linux', version: '6' }, browser: { name: 'Chrome', version: 140 },
      device: { type: 'Desktop', model: 'M', manufacturer: 'F', name: 'N' }, screen: { width: 1280, height: 720 }, app: { name: 'Shop', version: '2.1', build: 7, namespace: 'example.shop' },
    })
    const other = { $title: 'A', $user_agent: 'Mozilla', $locale: 'en', $os_name: 'iOS', $referrer: '$direct', utm_source: null }
    expect(decode({ properties: other }).context).toEqual({ page: { title: 'A' }, userAgent: 'Mozilla', locale: 'en', os: { name: 'iOS' } })
  })

  it('has the session that stands beside its properties', () => {
    expect(decode({ session_id: 's2', properties: { $session_id: 's1' } }).sessionId).toBe('s2')
  })

  it('names a screen', () => {
    expect(decode({ event: '$screen', properties: { $screen_name: 'Home' } }).properties).toMatchObject({ name: 'Home' })
  })

  it('does not take the machine of a server for that of its user', () => {
    expect(decode({ properties: { $is_server: true, $os: 'Linux', $lib: 'posthog-python' } })).toMatchObject({ channel: 'server', context: { library: { name: 'posthog-python' } } })
    expect(decode({ properties: { $is_server: true, $os: 'Linux' } }).context).toEqual({})
  })

  it('reads traits and their operations on both levels of any event', () => {
    const line = {
      $set: { a: 1 }, $set_once: { b: 2, utm_term: null }, $unset: ['x'],
      properties: { $set: { c: 3 }, $set_once: { d: 4 }, $unset: { y: '' } },
    }
    expect(decode(line).traits).toEqual({ a: 1, c: 3 })
    expect(decode(line).traitOps).toEqual({ setOnce: { b: 2, d: 4 }, unset: ['x', 'y'] })
    expect(decode({}).traitOps).toBeNull()
  })

  it('has revenue and currency of its properties', () => {
    expect(decode({ event: 'Order Completed', properties: { revenue: 12.5, total: 20, currency: 'usd' } })).toMatchObject({ revenue: '12.5', currency: 'USD' })
  })

  it('has its own time, corrected for the clock of its sender unless it forbids that', () => {
    const timestamp = '2024-06-01T09:00:00.123456+00:00'
    const sentAt = receivedAt - 3_600_000
    expect(decode({ timestamp }).timestamp).toBe(Date.parse('2024-06-01T09:00:00.123Z'))
    expect(decode({ timestamp }, sentAt).timestamp).toBe(Date.parse('2024-06-01T10:00:00.123Z'))
    expect(decode({ timestamp, properties: { $ignore_sent_at: true } }, sentAt).timestamp).toBe(Date.parse('2024-06-01T09:00:00.123Z'))
    expect(decode({ timestamp, options: { disable_skew_correction: true } }, sentAt).timestamp).toBe(Date.parse('2024-06-01T09:00:00.123Z'))
    expect(decode({ properties: { $time: 1_717_232_400.5 } }).timestamp).toBe(Date.parse('2024-06-01T09:00:00.500Z'))
    expect(decode({}).timestamp).toBe(receivedAt)
  })

  it('is told from others by its uuid, else by its insert id', () => {
    expect(decode({ uuid: 'x', properties: { $insert_id: 'y' } }).messageId).toBe('x')
    expect(decode({ uuid: undefined, properties: { $insert_id: 'y' } }).messageId).toBe('y')
    expect(decode({ uuid: undefined, messageId: 'given' }).messageId).toBe('given')
  })

  it('of visitors on whose devices nothing is kept has the id that ingest gives', () => {
    expect(who({ distinct_id: '$posthog_cookieless', properties: { $device_id: '$posthog_cookieless' }, anonymousId: 'v-1' })).toEqual([null, 'v-1', null])
  })
})
