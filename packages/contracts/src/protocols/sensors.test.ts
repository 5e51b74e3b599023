import { describe, expect, it } from 'vitest'
import { type CanonicalEvent, decodeEvent, type Fields, identitiesOf, isRefusal, project as projectSchema } from '../index.ts'

const project = projectSchema.parse({
  id: 1, name: 'Shop', zone: 'UTC', currency: 'EUR', writeKeys: [], apiKeys: [],
  identity: { types: [{ type: 'mobile', uniquePerPerson: true }, { type: 'unionid', uniquePerPerson: true }] },
})
const origin = { source: 's', protocol: 'sensors', receivedAt: Date.parse('2024-06-01T12:00:00Z'), sentAt: null }
const at = Date.parse('2024-06-01T11:59:00Z')

const decoded = (raw: Fields): CanonicalEvent => {
  const event = decodeEvent(origin, project, raw)
  if (isRefusal(event)) throw new Error(event.detail)
  return event
}
const track = (more: Fields = {}): Fields => ({ type: 'track', event: 'ViewProduct', distinct_id: 'a1', time: at, _track_id: 1, properties: { price: 5 }, ...more })
const people = (more: Fields) => {
  const { userId, anonymousId } = decoded(track(more))
  return [userId, anonymousId]
}

describe('lines of Sensors', () => {
  it('takes distinct_id for a device unless something says that it is a user', () => {
    expect(people({})).toEqual([null, 'a1'])
    expect(people({ properties: { $is_login_id: true } })).toEqual(['a1', null])
    expect(people({ properties: { $is_login_id: false } })).toEqual([null, 'a1'])
    expect(people({ distinct_id: 'u1', login_id: 'u1', anonymous_id: 'a1' })).toEqual(['u1', 'a1'])
    expect(people({ distinct_id: 'u1', identities: { $identity_login_id: 'u1', $identity_cookie_id: 'c1' } })).toEqual(['u1', 'c1'])
    expect(people({ type: 'track_signup', event: '$SignUp', distinct_id: 'u1', original_id: 'a1' })).toEqual(['u1', 'a1'])
    const withoutLogin = { distinct_id: 'u1', anonymous_id: 'u1', identities: { $identity_cookie_id: 'c1', $identity_anonymous_id: 'u1' } }
    expect(people({ type: 'track_signup', event: '$SignUp', original_id: 'c1', ...withoutLogin })).toEqual(['u1', 'c1'])
    expect(people(withoutLogin)).toEqual([null, 'u1'])
    expect(people({ distinct_id: '' })).toEqual([null, null])
  })

  it('prefers the anonymous id of now to the cookie, which a reset leaves as it was', () => {
    expect(people({ distinct_id: 'new', anonymous_id: 'new', identities: { $identity_cookie_id: 'old', $identity_anonymous_id: 'new' } })).toEqual([null, 'new'])
    expect(people({ distinct_id: 'new', identities: { $identity_cookie_id: 'old', $identity_anonymous_id: 'new' } })).toEqual([null, 'new'])
  })

  it('hands identities to the types that a project declares', () => {
    const event = decoded(track({ type: 'track_id_bind', event: '$BindID', distinct_id: 'u1', identities: { $identity_login_id: 'u1', $identity_mobile: '138', $identity_mp_unionid: 'w', $identity_mp_openid: 'o' } }))
    expect(event).toMatchObject({ type: 'identify', userId: 'u1', traits: { mobile: '138', unionid: 'w', openid: 'o' } })
    expect(identitiesOf(project, event)).toEqual(['mobile:138', 'unionid:w'])
    const lone = decoded(track({ distinct_id: '$identity_mobile+138', identities: { $identity_mobile: '138' } }))
    expect([lone.anonymousId, identitiesOf(project, lone)]).toEqual(['$identity_mobile+138', ['mobile:138']])
  })

  it('keeps an unbind as nobody’s, so that it joins nothing that it cuts', () => {
    const event = decoded(track({ type: 'track_id_unbind', event: '$UnbindID', distinct_id: 'u1', identities: { $identity_mobile: '138' } }))
    expect(event).toMatchObject({ type: 'track', event: '$UnbindID', userId: null, anonymousId: null, traits: {}, context: { identities: { $identity_mobile: '138' } } })
    expect(identitiesOf(project, event)).toEqual([])
  })

  it('copies page, campaign, device and library to the context and keeps all properties', () => {
    const properties = {
      $url: 'https://shop/p1?a', $url_path: '/p1', $title: 'P1', $referrer: 'https://search/', $utm_source: 'news', $utm_medium: 'email', $utm_campaign: 'spring',
      $latest_utm_source: 'older', $os: 'iOS', $os_version: '17', $model: 'iPhone', $ip: '203.0.113.9', $screen_width: 400, $lib: 'js', $unheard: 1, color: 'red',
    }
    const event = decoded(track({ event: '$pageview', properties, lib: { $lib: 'js', $lib_version: '1.27.11', $app_version: '2.1' } }))
    expect(event).toMatchObject({ type: 'page', event: 'Page Viewed', channel: 'email', properties: { ...properties, name: 'P1' } })
    expect(event.context).toEqual({
      page: { url: 'https://shop/p1?a', path: '/p1', title: 'P1', referrer: 'https://search/' }, campaign: { source: 'news', medium: 'email', name: 'spring' },
      os: { name: 'iOS', version: '17' }, device: { model: 'iPhone' }, ip: '203.0.113.9', screen: { width: 400 }, library: { name: 'js', version: '1.27.11' }, app: { version: '2.1' },
    })
  })

  it('takes words for "unknown" for nothing', () => {
    const { context } = decoded(track({ event: '$pageview', properties: { $referrer: '', $url: 'url的domain解析失败', $utm_source: '未取到值_直接打开' } }))
    expect(context).toEqual({})
  })

  it('knows where the SDKs of China’s platforms run', () => {
    expect(['js', 'iOS', 'MiniProgram', 'Java', 'C#', 'HarmonyOS'].map((lib) => decoded(track({ lib: { $lib: lib } })).channel)).toEqual(['web', 'mobile', 'mobile', 'server', 'server', 'mobile'])
  })

  it('tells screens from pages and both from events', () => {
    expect(['$pageview', '$MPViewScreen', '$AppViewScreen', '$AppClick'].map((event) => decoded(track({ event })).type)).toEqual(['page', 'screen', 'screen', 'track'])
    expect(decoded(track({ event: '$AppViewScreen', properties: { $screen_name: 'Home', $title: 'Shop' } })).properties['name']).toBe('Home')
  })

  it('reads each operation on a profile', () => {
    const operation = (type: string, properties: Fields) => {
      const { traits, traitOps } = decoded(track({ type, event: undefined, properties }))
      return [traits, traitOps]
    }
    expect(operation('profile_set', { level: 'gold', $is_login_id: true })).toEqual([{ level: 'gold' }, null])
    expect(operation('profile_set_once', { $first_referrer: '', $first_visit_time: 'x', note: '' })).toEqual([{}, { setOnce: { $first_visit_time: 'x', note: '' } }])
    expect(operation('profile_increment', { visits: 2 })).toEqual([{}, { add: { visits: 2 } }])
    expect(operation('profile_append', { likes: ['tea'] })).toEqual([{}, { append: { likes: ['tea'] } }])
    expect(operation('profile_unset', { level: true, $is_login_id: true })).toEqual([{}, { unset: ['level'] }])
    expect(operation('profile_delete', {})).toEqual([{}, { delete: true }])
    expect(decoded(track({ type: 'profile_set', event: undefined, properties: { level: 'gold', $utm_source: 'news' } }))).toMatchObject({ type: 'identify', traits: { level: 'gold' }, context: {} })
  })

  it('keeps an item as an event of nobody', () => {
    const { type, event, userId, anonymousId, properties } = decoded({ type: 'item_set', item_type: 'product', item_id: 'p1', time: at, properties: { name: 'Tea' } })
    expect({ type, event, userId, anonymousId, properties }).toEqual({
      type: 'track', event: '$item_set', userId: null, anonymousId: null, properties: { name: 'Tea', item_type: 'product', item_id: 'p1' },
    })
  })

  it('reads times in ms, and as a text of China', () => {
    expect(decoded(track()).timestamp).toBe(at)
    expect(decoded(track({ time: '2024-06-01 19:59:00.000' })).timestamp).toBe(at)
    expect(decoded(track({ time: '2024-06-01T11:59:00Z' })).timestamp).toBe(at)
    expect(decoded(track({ time: undefined })).timestamp).toBe(origin.receivedAt)
    // The clock of the device is an hour behind.
    expect(decoded(track({ time: at - 3_600_000, _flush_time: origin.receivedAt - 3_600_000 })).timestamp).toBe(at)
  })

  it('has one id for a repeat, and others for what only looks alike', () => {
    const id = (more: Fields) => decoded(track(more)).messageId
    expect(id({ _flush_time: 1, peer: { ip: '1' } })).toBe(id({ _flush_time: 2 }))
    expect(new Set([{}, { _track_id: 2 }, { event: 'B' }, { distinct_id: 'a2' }, { time: at + 1 }, { original_id: 'x' }].map(id)).size).toBe(6)
    const python = { _track_id: undefined }
    expect(id(python)).toBe(id({ ...python, time_free: true }))
    expect(id(python)).not.toBe(id({ ...python, properties: { price: 6 } }))
  })

  it('takes revenue and currency that the sender names so', () => {
    expect(decoded(track({ event: 'PayOrder', properties: { revenue: 12.5, currency: 'cny', order_id: 'o1' } }))).toMatchObject({ event: 'PayOrder', revenue: '12.5', currency: 'CNY' })
    expect(decoded(track()).revenue).toBeNull()
  })

  it('refuses a type that nobody knows', () => {
    expect(decodeEvent(origin, project, track({ type: 'profile_burn' }))).toMatchObject({ ok: false, code: 'TYPE_UNKNOWN' })
  })
})
