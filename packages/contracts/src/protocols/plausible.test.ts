import { describe, expect, it } from 'vitest'
import { canonical } from '../../test/canonical.ts'

const read = (line: object) => canonical('plausible', { d: 'shop.example', anonymousId: 'v-1', ...line })

describe('a line of Plausible', () => {
  it('is a page view by its name, else a track, with page, campaign and width of the screen', () => {
    expect(read({ n: 'pageview', u: 'https://shop.example/a?ref=friend&utm_medium=email', r: 'https://ref.example/', w: 1280, v: 36, p: { plan: 'pro' } })).toMatchObject({
      type: 'page', anonymousId: 'v-1', userId: null, channel: 'email', properties: { plan: 'pro' },
      context: { page: { path: '/a', referrer: 'https://ref.example/' }, campaign: { source: 'friend', medium: 'email' }, screen: { width: 1280 }, library: { name: 'plausible-web', version: '36' } },
    })
    expect(read({ n: 'engagement', u: 'https://shop.example/', e: 3000, sd: 40 })).toMatchObject({ type: 'track', event: 'engagement', properties: { e: 3000, sd: 40 } })
  })

  it('reads properties also as text and under the long names', () => {
    expect(read({ n: 'Buy', p: '{"a":1}' })).toMatchObject({ event: 'Buy', properties: { a: 1 } })
    expect(read({ name: 'Buy', url: 'https://shop.example/a', props: { a: 1 }, referrer: 'https://r.example/' })).toMatchObject(
      { event: 'Buy', properties: { a: 1 }, context: { page: { url: 'https://shop.example/a', referrer: 'https://r.example/' } } })
    expect(read({ n: 'Buy', p: 'no json' }).event).toBe('Buy')
  })

  it('counts the amount of an event', () => {
    expect(read({ n: 'Buy', $: { amount: '12.50', currency: 'usd' } })).toMatchObject({ revenue: '12.5', currency: 'USD' })
    expect(read({ n: 'Buy', revenue: { amount: 3, currency: 'EUR' }, p: { revenue: 2 } }).revenue).toBe('2')
  })
})
