import { describe, expect, it } from 'vitest'
import { type CanonicalEvent, decodeEvent, type Fields, filedKeyOf, isRefusal, project as projectSchema } from '../index.ts'

const project = projectSchema.parse({ id: 1, name: 'Shop', zone: 'UTC', currency: 'EUR', writeKeys: [], apiKeys: [], identity: {} })
const origin = { source: 's', protocol: 'snowplow', receivedAt: Date.parse('2024-06-01T12:00:00Z'), sentAt: null }
const at = Date.parse('2024-06-01T11:59:00Z')

const decoded = (raw: Fields): CanonicalEvent => {
  const event = decodeEvent(origin, project, { eid: 'e1', aid: 'wk', p: 'web', tv: 'js-4.5.0', dtm: String(at), duid: 'd1', ...raw })
  if (isRefusal(event)) throw new Error(event.code)
  return event
}
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const described = (schema: string, data: unknown) => ({ schema: 'iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0', data: { schema, data } })
const entities = (...data: unknown[]) => ({ schema: 'iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0', data })

describe('lines of Snowplow', () => {
  it('reads a page view with page, campaign, screen and library, and keeps what has no place', () => {
    const event = decoded({
      e: 'pv', url: 'https://shop/p1?utm_source=news&utm_medium=email&utm_campaign=spring#top', page: 'P1', refr: 'https://search/', res: '1440x900', lang: 'en-GB', tz: 'Europe/Berlin',
      sid: 's1', ua: 'Firefox', ip: '203.0.113.9', vp: '800x600', uid: 'u1',
    })
    expect(event).toMatchObject({ type: 'page', event: 'Page Viewed', messageId: 'e1', userId: 'u1', anonymousId: 'd1', sessionId: 's1', channel: 'email', properties: { name: 'P1' } })
    expect(event.context).toEqual({
      page: { url: 'https://shop/p1?utm_source=news&utm_medium=email&utm_campaign=spring#top', path: '/p1', title: 'P1', referrer: 'https://search/' },
      campaign: { source: 'news', medium: 'email', name: 'spring' }, screen: { width: 1440, height: 900 }, locale: 'en-GB', timezone: 'Europe/Berlin', sessionId: 's1',
      userAgent: 'Firefox', ip: '203.0.113.9', library: { name: 'js', version: '4.5.0' }, snowplow: { p: 'web', vp: '800x600' },
    })
  })

  it('reads the campaign of the address, and before it what the tracker says of it', () => {
    const url = `https://shop/?${['source', 'medium', 'campaign', 'term', 'content'].map((name) => `utm_${name}=${name}`).join('&')}`
    const campaign = { source: 'source', medium: 'medium', name: 'campaign', term: 'term', content: 'content' }
    expect(decoded({ e: 'pv', url }).context['campaign']).toEqual(campaign)
    expect(decoded({ e: 'pv', url, mkt_source: 's', mkt_medium: 'm', mkt_campaign: 'n', mkt_term: 't', mkt_content: 'c' }).context['campaign']).toEqual({ source: 's', medium: 'm', name: 'n', term: 't', content: 'c' })
  })

  it('reads self-describing events and entities, plain and in base64 alike', () => {
    const event = described('iglu:com.acme/viewed_product/jsonschema/1-0-0', { price: 5 })
    const around = entities({ schema: 'iglu:com.acme/plan/jsonschema/1-0-0', data: { plan: 'gold' } })
    const plain = decoded({ e: 'ue', ue_pr: JSON.stringify(event), co: JSON.stringify(around) })
    expect(plain).toMatchObject({
      type: 'track', event: 'viewed_product', properties: { price: 5, schema: 'iglu:com.acme/viewed_product/jsonschema/1-0-0' },
      context: { entities: [{ schema: 'iglu:com.acme/plan/jsonschema/1-0-0', data: { plan: 'gold' } }] },
    })
    expect(decoded({ e: 'ue', ue_px: base64(event), cx: base64(around) })).toEqual(plain)
  })

  it('reads a screen view, a structured event and a heartbeat', () => {
    const screen = described('iglu:com.snowplowanalytics.mobile/screen_view/jsonschema/1-0-0', { name: 'Home', id: '4' })
    expect(decoded({ e: 'ue', ue_px: base64(screen), p: 'mob' })).toMatchObject({ type: 'screen', channel: 'mobile', properties: { name: 'Home', id: '4' } })
    expect(decoded({ e: 'se', se_ca: 'shop', se_ac: 'add', se_la: 'tea', se_pr: 'size', se_va: '2' }))
      .toMatchObject({ event: 'add', properties: { category: 'shop', action: 'add', label: 'tea', property: 'size', value: 2 } })
    expect(decoded({ e: 'pp', pp_mix: '0', pp_may: '300' })).toMatchObject({ type: 'track', event: 'page_ping', properties: { pp_mix: '0', pp_may: '300' } })
  })

  it('takes the total of a transaction for revenue, once', () => {
    expect(decoded({ e: 'tr', tr_id: 'o1', tr_af: 'web', tr_tt: '12.5', tr_tx: '2', tr_sh: '1', tr_cu: 'chf', tr_ci: 'Bern', tr_st: 'BE', tr_co: 'CH' }))
      .toMatchObject({ event: 'transaction', revenue: '12.5', currency: 'CHF', properties: { order_id: 'o1', affiliation: 'web', revenue: 12.5, tax: 2, shipping: 1, city: 'Bern', state: 'BE', country: 'CH' } })
    expect(decoded({ e: 'ti', ti_id: 'o1', ti_sk: 'tea', ti_pr: '6.25', ti_qu: '2' })).toMatchObject({ event: 'transaction_item', revenue: null, properties: { order_id: 'o1', sku: 'tea', price: 6.25, quantity: 2 } })
  })

  it('takes the order of the newer e-commerce events, and what is paid back, from the entity beside them', () => {
    const entity = (name: string, data: object) => ({ schema: `iglu:com.snowplowanalytics.snowplow.ecommerce/${name}/jsonschema/1-0-0`, data })
    const order = entity('transaction', { transaction_id: 'o1', revenue: 12.5, currency: 'CHF' })
    const action = (type: string, beside: unknown) => decoded({
      e: 'ue', ue_pr: JSON.stringify(described('iglu:com.snowplowanalytics.snowplow.ecommerce/snowplow_ecommerce_action/jsonschema/1-0-2', { type })), co: JSON.stringify(entities(beside)),
    })
    expect(action('transaction', order)).toMatchObject({ event: 'snowplow_ecommerce_action', revenue: '12.5', currency: 'CHF', properties: { order_id: 'o1' } })
    const refund = { transaction_id: 'o1', refund_amount: 2.25, currency: 'CHF' }
    expect(action('refund', entity('refund', refund))).toMatchObject({ revenue: '-2.25', currency: 'CHF', properties: { order_id: 'o1' } })
    expect(action('refund', entity('refund', { transaction_id: 'o1' }))).toMatchObject({ revenue: null, properties: { order_id: 'o1' } })
    expect(action('refund', order).revenue).toBeNull()
    expect(action('trns_error', order)).toMatchObject({ revenue: null, properties: { type: 'trns_error' } })
  })

  it('knows a device by whichever id there is', () => {
    expect(decoded({ e: 'pv', tnuid: 't1', nuid: 'n1' }).anonymousId).toBe('d1')
    expect(decoded({ e: 'pv', duid: undefined, tnuid: 't1', nuid: 'n1' }).anonymousId).toBe('t1')
    expect(decoded({ e: 'pv', duid: undefined, nuid: 'n1' }).anonymousId).toBe('n1')
    const session = entities({ schema: 'iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2', data: { userId: 'device', sessionId: 's9' } })
    expect(decoded({ e: 'pv', duid: undefined, co: JSON.stringify(session) })).toMatchObject({ anonymousId: 'device', sessionId: 's9' })
  })

  it('keeps an event without any id as nobody’s', () => {
    const event = decoded({ e: 'pv', duid: undefined })
    expect(event).toMatchObject({ type: 'page', userId: null, anonymousId: null })
    expect(filedKeyOf(project, event)).toMatch(/^none:/)
  })

  it('sets the device’s clock right by the time of sending, and leaves the true time alone', () => {
    const hour = 3_600_000
    expect(decoded({ e: 'pv', dtm: String(at - hour), stm: String(origin.receivedAt - hour) }).timestamp).toBe(at)
    expect(decoded({ e: 'pv', ttm: String(at - hour), stm: String(origin.receivedAt - hour) })).toMatchObject({ timestamp: at - hour, originalTimestamp: at })
    expect(decoded({ e: 'pv', dtm: undefined, ttm: String(at - hour), stm: String(origin.receivedAt - hour) }).timestamp).toBe(at - hour)
  })

  it('refuses an event that says nothing of itself', () => {
    for (const raw of [{ e: 'ue', ue_px: '%%%' }, { e: 'ue', ue_pr: '{"data":5}' }, {}, { e: 'se' }]) {
      expect(decodeEvent(origin, project, { eid: 'e1', duid: 'd1', ...raw })).toMatchObject({ code: 'EVENT_NAME_MISSING' })
    }
  })
})
