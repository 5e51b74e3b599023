import { describe, expect, it } from 'vitest'
import { canonical } from '../../test/canonical.ts'
import { readGa4 } from './ga4.ts'

const line = (event: object | null, body: object = {}) => ({ client_id: '1.2', ...body, ...(event ? { events: [event] } : {}) })
const read = (event: object | null, body: object = {}) => canonical('ga4', line(event, body))

describe('a line of GA4', () => {
  it('has a client id as anonymous id and a user id, and is a page, a screen or a track by its name', () => {
    expect(read({ name: 'sign_up', params: { method: 'mail', x: { y: 1 } } }, { user_id: 'u1' })).toMatchObject(
      { type: 'track', event: 'sign_up', userId: 'u1', anonymousId: '1.2', properties: { method: 'mail', x: { y: 1 } } })
    expect(read({ name: 'page_view' }).type).toBe('page')
    expect(read({ name: 'screen_view', params: { screen_name: 'Home' } })).toMatchObject({ type: 'screen', properties: { name: 'Home', screen_name: 'Home' } })
    expect(canonical('ga4', { app_instance_id: 'i1', events: [{ name: 'x' }] }).anonymousId).toBe('i1')
    expect(() => canonical('ga4', { client_id: '', events: [{ name: 'x' }] })).toThrow('IDENTITY_MISSING')
  })

  it('copies page, campaign, session and locale into the context, and keeps what the body says once', () => {
    const params = { page_location: 'https://shop.example/a?utm_source=news&utm_medium=email', page_title: 'A', page_referrer: 'https://ref.example/', session_id: 1717, language: 'en-gb', campaign: 'spring' }
    const event = read({ name: 'page_view', params }, { consent: { ad_user_data: 'DENIED' }, user_location: { city: 'Oslo' }, ip_override: '203.0.113.7', new_field: 1 })
    expect(event.context).toMatchObject({
      page: { url: params.page_location, path: '/a', search: '?utm_source=news&utm_medium=email', title: 'A', referrer: 'https://ref.example/' },
      campaign: { source: 'news', medium: 'email', name: 'spring' }, locale: 'en-gb', consent: { ad_user_data: 'DENIED' }, location: { city: 'Oslo' }, ip: '203.0.113.7', new_field: 1,
    })
    expect([event.sessionId, event.channel, event.properties]).toEqual(['1717', 'email', params])
  })

  it('counts the value of a purchase and takes that of a refund off, with order and currency', () => {
    const purchase = { name: 'purchase', params: { transaction_id: 'o1', value: 12.5, currency: 'usd', items: [{ item_id: 'p1' }] } }
    expect(read(purchase)).toMatchObject({ event: 'purchase', revenue: '12.5', currency: 'USD', properties: { order_id: 'o1', revenue: 12.5, value: 12.5, items: [{ item_id: 'p1' }] } })
    expect(read({ name: 'refund', params: { transaction_id: 'o1', value: 2 } }).revenue).toBe('-2')
    expect(read({ name: 'refund', params: { transaction_id: 'o1', value: '-2.25' } }).revenue).toBe('-2.25')
    expect(read({ name: 'refund', params: { transaction_id: 'o1' } }).revenue).toBeNull()
    expect(read({ name: 'add_to_cart', params: { value: 5 } }).revenue).toBeNull()
    expect(read({ name: 'purchase', params: { value: 5, revenue: 4 } }).revenue).toBe('4')
  })

  it('makes traits of user properties, and takes away what is null', () => {
    const event = readGa4(line({ name: 'x' }, { user_properties: { plan: { value: 'pro' }, old: { value: null } } }))
    expect(event).toMatchObject({ traits: { plan: 'pro' }, traitOps: { unset: ['old'] } })
    expect(read(null, { user_properties: { plan: { value: 'pro' } } })).toMatchObject({ type: 'identify', traits: { plan: 'pro' } })
  })

  it('takes the time of the event before that of the body, in µs', () => {
    expect(read({ name: 'x', timestamp_micros: 1717236000123456 }, { timestamp_micros: 1717200000000000 }).timestamp).toBe(1717236000123)
    expect(read({ name: 'x' }, { timestamp_micros: '1717200000000000' }).timestamp).toBe(1717200000000)
  })

  it('counts a purchase once by its transaction, an event once by its time, and gives no id to what has neither', () => {
    const id = (event: object, body: object = {}) => readGa4(line(event, body))['messageId']
    const purchase = { name: 'purchase', params: { transaction_id: 'o1' } }
    expect(id(purchase)).toBe(id({ name: 'purchase', params: { transaction_id: 'o1', value: 3 } }))
    expect(id(purchase)).toMatch(/^h-[0-9a-f]{32}$/)
    expect(id(purchase)).not.toBe(id({ name: 'refund', params: { transaction_id: 'o1' } }, { timestamp_micros: 1 }))
    const timed = { name: 'x', timestamp_micros: 1717200000000000 }
    expect(id(timed, { event_index: 0 })).toBe(id(timed, { event_index: 0 }))
    expect(id(timed, { event_index: 0 })).not.toBe(id(timed, { event_index: 1 }))
    expect(id({ name: 'x' })).toBeUndefined()
  })
})
