import { describe, expect, it } from 'vitest'
import { type CanonicalEvent, decodeEvent, type Fields, isRefusal, project as projectSchema, readLine } from '../index.ts'

const project = projectSchema.parse({ id: 1, name: 'Shop', zone: 'UTC', currency: 'EUR', writeKeys: [], apiKeys: [], identity: {} })
const origin = { source: 's', protocol: 'countly', receivedAt: Date.parse('2024-06-01T12:00:00Z'), sentAt: null }
const at = Date.parse('2024-06-01T11:00:00Z')

const request = (more: Fields): Fields => ({ device_id: 'd1', t: '1', timestamp: String(at), sdk_name: 'javascript_native_web', sdk_version: '26.1.1', ...more })
const decoded = (more: Fields): CanonicalEvent => {
  const event = decodeEvent(origin, project, request(more))
  if (isRefusal(event)) throw new Error(event.code)
  return event
}
const sent = (event: Fields): Fields => ({ event: { key: 'PayOrder', count: 1, timestamp: at + 5, ...event }, position: 0 })

describe('lines of Countly', () => {
  it('takes an id that the developer gave for a user, one of the SDK for a device', () => {
    expect(decoded(sent({}))).toMatchObject({ anonymousId: 'd1', userId: null })
    expect(decoded({ ...sent({}), t: 0, device_id: 'u1' })).toMatchObject({ anonymousId: null, userId: 'u1' })
    expect(decoded({ ...sent({}), t: undefined })).toMatchObject({ anonymousId: 'd1', userId: null })
  })

  it('reads a change of the id as an alias', () => {
    expect(decoded({ old_device_id: 'd1', device_id: 'u1', t: '0' })).toMatchObject({ type: 'alias', userId: 'u1', previousId: 'd1' })
  })

  it('reads an event with its segmentation, and what the request says of the device', () => {
    const event = decoded({
      ...sent({ segmentation: { product_id: 'p1' }, dur: 3, id: 'x', cvid: 'v' }), av: '2.1', tz: '480', ip_address: '203.0.113.9', city: 'Bern', country_code: 'CH', rr: '3',
      metrics: { _os: 'iOS', _os_version: '17', _device: 'iPhone', _resolution: '400x800', _locale: 'de-CH', _ua: 'Safari', _store: 'app' },
    })
    expect(event).toMatchObject({ type: 'track', event: 'PayOrder', timestamp: at + 5, channel: 'web', properties: { count: 1, dur: 3, product_id: 'p1' }, revenue: null })
    expect(event.context).toEqual({
      library: { name: 'javascript_native_web', version: '26.1.1' }, os: { name: 'iOS', version: '17' }, device: { model: 'iPhone' }, screen: { width: 400, height: 800 }, locale: 'de-CH',
      userAgent: 'Safari', app: { version: '2.1' }, ip: '203.0.113.9', location: { city: 'Bern', country: 'CH' }, countly: { t: '1', tz: '480', id: 'x', cvid: 'v', metrics: { _store: 'app' } },
    })
  })

  it('counts a sum as revenue where a currency stands beside it', () => {
    expect(decoded(sent({ sum: 12.5, segmentation: { currency: 'cny' } }))).toMatchObject({ revenue: '12.5', currency: 'CNY', properties: { sum: 12.5 } })
    expect(decoded(sent({ sum: 12.5, segmentation: { currency: 'cny', revenue: 10 } })).revenue).toBe('10')
    expect(decoded(sent({ sum: 12.5 })).revenue).toBeNull()
  })

  it('reads the begin of a view as a page or a screen, and its end as an event', () => {
    const view = { key: '[CLY]_view', segmentation: { name: 'Shop', view: '/shop', visit: 1, referrer: 'https://search/', utm_source: 'news', utm_medium: 'email' } }
    expect(decoded(sent(view))).toMatchObject({ type: 'page', channel: 'email', properties: { name: 'Shop' }, context: { page: { path: '/shop', referrer: 'https://search/' }, campaign: { source: 'news' } } })
    expect(decoded({ ...sent(view), sdk_name: 'java-native-android' })).toMatchObject({ type: 'screen' })
    expect(decoded(sent({ key: '[CLY]_view', dur: 9, segmentation: { name: '/shop' } }))).toMatchObject({ type: 'track', event: '[CLY]_view', properties: { dur: 9 } })
  })

  it('reads user details as traits and operations', () => {
    const custom = { level: 'gold', first: { $setOnce: 'news' }, visits: { $inc: '2' }, likes: { $push: 'tea', $addToSet: ['books'], $pull: ['milk'] }, best: { $max: 7 }, old: '' }
    expect(decoded({ user_details: { name: 'Ada', phone: null, custom } })).toMatchObject({
      type: 'identify', traits: { name: 'Ada', level: 'gold' }, properties: { user_details: { best: { $max: 7 } } },
      traitOps: { setOnce: { first: 'news' }, add: { visits: 2 }, append: { likes: ['tea'] }, union: { likes: ['books'] }, remove: { likes: ['milk'] }, unset: ['phone', 'old'] },
    })
    expect(decoded({ user_details: { name: 'Ada' } }).traitOps).toBeNull()
  })

  it('reads sessions, crashes and what tells of the device alone', () => {
    expect(decoded({ begin_session: '1' })).toMatchObject({ type: 'track', event: 'begin_session', timestamp: at })
    expect(decoded({ end_session: '1', session_duration: '30' })).toMatchObject({ event: 'end_session', properties: { session_duration: 30 } })
    expect(decoded({ session_duration: '60' })).toMatchObject({ event: 'session_duration', properties: { session_duration: 60 } })
    expect(decoded({ crash: { _error: 'x' } })).toMatchObject({ event: 'crash', properties: { _error: 'x' } })
    expect(decoded({ campaign_id: 'spring', location: '1,2' })).toMatchObject({ type: 'identify', traits: {}, context: { campaign: { name: 'spring' }, countly: { location: '1,2' } } })
  })

  it('has one id for a repeat from the queue, and others for what only looks alike', () => {
    const id = (more: Fields) => decoded(more).messageId
    expect(id({ ...sent({}), rr: '9', peer: { ip: '1' } })).toBe(id({ ...sent({}), rr: '1' }))
    const others = [sent({}), { ...sent({}), position: 1 }, sent({ key: 'B' }), { ...sent({}), device_id: 'd2' }, { begin_session: '1' }, { end_session: '1' }, { user_details: {} }, { crash: {} }]
    expect(new Set(others.map(id)).size).toBe(others.length)
    expect(readLine('countly', { device_id: 'd1', begin_session: '1' })).toMatchObject({ messageId: undefined })
  })

  it('takes the SDK of a server for a server', () => {
    expect(decoded({ ...sent({}), sdk_name: 'javascript_native_nodejs' }).channel).toBe('server')
  })
})
