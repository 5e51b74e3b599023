import { describe, expect, it } from 'vitest'
import { canonical } from '../../test/canonical.ts'

const read = (payload: object, type = 'event') => canonical('umami', { type, payload: { website: 'wk', ...payload }, anonymousId: 'v-1', sessionId: 's1' })

describe('a line of Umami', () => {
  it('is a page view without a name and a track with one', () => {
    const page = read({ url: '/a?utm_source=news', hostname: 'shop.example', title: 'A', referrer: 'https://ref.example/', screen: '1280x720', language: 'de', tag: 't1', extra: 1 })
    expect(page).toMatchObject({
      type: 'page', anonymousId: 'v-1', userId: null, sessionId: 's1',
      context: {
        page: { path: '/a', search: '?utm_source=news', title: 'A', referrer: 'https://ref.example/', hostname: 'shop.example' }, campaign: { source: 'news' },
        screen: { width: 1280, height: 720 }, locale: 'de', tag: 't1', extra: 1,
      },
    })
    expect(page.context['page']).not.toHaveProperty('url')
    expect(read({ url: 'https://shop.example/a' }).context).toMatchObject({ page: { url: 'https://shop.example/a', path: '/a' } })
    expect(read({ name: 'buy', id: 'u1', data: { revenue: 5, currency: 'usd', a: [1] } })).toMatchObject(
      { type: 'track', event: 'buy', userId: 'u1', revenue: '5', currency: 'USD', properties: { revenue: 5, currency: 'usd', a: [1] } })
    expect(read({ name: 'x', data: [1, 2] }).properties).toEqual({ data: [1, 2] })
  })

  it('identifies with its data as traits', () => {
    expect(read({ id: 'u1', data: { plan: 'pro' } }, 'identify')).toMatchObject({ type: 'identify', userId: 'u1', anonymousId: 'v-1', traits: { plan: 'pro' } })
  })

  it('takes its time in seconds, and refuses a type that is not Umami’s', () => {
    expect(read({ timestamp: 1717149600 }).timestamp).toBe(1717149600000)
    expect(() => read({}, 'page')).toThrow('TYPE_UNKNOWN')
  })
})
