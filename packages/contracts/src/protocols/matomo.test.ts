import { describe, expect, it } from 'vitest'
import { canonical } from '../../test/canonical.ts'
import { readMatomo } from './matomo.ts'

const read = (line: object) => canonical('matomo', { idsite: 'wk', rec: '1', _id: '0123456789abcdef', ...line })

describe('a line of Matomo', () => {
  it('is a page view where nothing says otherwise, with its page, campaign, screen and locale', () => {
    const event = read({ url: 'https://shop.example/a?mtm_campaign=spring&utm_medium=email', action_name: 'A', urlref: 'https://ref.example/', res: '1280x1024', lang: 'fr-FR,fr;q=0.8', _rck: 'shoes', dimension1: 'd', uid: 'u1', gt_ms: '12' })
    expect(event).toMatchObject({
      type: 'page', anonymousId: '0123456789abcdef', userId: 'u1', channel: 'email',
      context: {
        page: { url: 'https://shop.example/a?mtm_campaign=spring&utm_medium=email', path: '/a', title: 'A', referrer: 'https://ref.example/' },
        campaign: { name: 'spring', medium: 'email', term: 'shoes' }, screen: { width: 1280, height: 1024 }, locale: 'fr-FR',
      },
      properties: { dimension1: 'd', gt_ms: '12', action_name: 'A' },
    })
    for (const transport of ['idsite', 'rec', '_id', 'uid']) expect(event.properties).not.toHaveProperty(transport)
  })

  it.each(['mtm', 'matomo', 'pk', 'piwik'])('reads the campaign of an address by the names that begin with %s', (mark) => {
    const query = ['campaign', 'kwd', 'source', 'medium', 'content', 'cid'].map((name) => `${mark}_${name}=${name}`).join('&')
    expect(read({ url: `https://shop.example/?${query}` }).context['campaign']).toEqual({ name: 'campaign', term: 'kwd', source: 'source', medium: 'medium', content: 'content', id: 'cid' })
    expect(read({ url: `https://shop.example/?${mark}_keyword=shoes` }).context['campaign']).toEqual({ term: 'shoes' })
  })

  it('is the track of an event, a search, a link, a download or content', () => {
    expect(read({ e_c: 'Video', e_a: 'Play', e_n: 'Intro', e_v: '1.5' })).toMatchObject({ type: 'track', event: 'Play', properties: { category: 'Video', label: 'Intro', value: 1.5, e_v: '1.5' } })
    expect(read({ search: 'shoes', search_cat: 'men', search_count: '0' })).toMatchObject({ event: 'Site Searched', properties: { query: 'shoes', category: 'men', results: 0 } })
    expect(read({ link: 'https://out.example' })).toMatchObject({ event: 'Link Clicked', properties: { href: 'https://out.example' } })
    expect(read({ download: 'https://shop.example/a.pdf' }).event).toBe('File Downloaded')
    expect(read({ c_n: 'banner' }).event).toBe('Content Viewed')
    expect(read({ c_n: 'banner', c_i: 'click' }).event).toBe('Content Clicked')
    expect(read({ ca: '1', ma_id: 'x' }).event).toBe('Custom Action')
  })

  it('counts the revenue of an order only, not that of a cart or a goal', () => {
    const items = '[["p1","Shoe",["men","new"],"5.5",2],["p2","Sock"]]'
    expect(read({ idgoal: '0', ec_id: 'o1', revenue: '12.5', ec_st: '10', ec_tx: '1', ec_sh: '2.5', ec_dt: '1', ec_items: items })).toMatchObject({
      event: 'Order Completed', revenue: '12.5',
      properties: { order_id: 'o1', subtotal: 10, tax: 1, shipping: 2.5, discount: 1, products: [{ product_id: 'p1', name: 'Shoe', category: 'men', price: '5.5', quantity: 2 }, { product_id: 'p2', name: 'Sock' }], ec_items: items },
    })
    expect(read({ idgoal: '0', revenue: '12.5', ec_items: 'no json' })).toMatchObject({ event: 'Cart Updated', revenue: null, properties: { total: 12.5 } })
    expect(read({ idgoal: '3', revenue: '7' })).toMatchObject({ event: 'Goal Completed', revenue: null, properties: { goal_id: '3', value: 7 } })
  })

  it('reads a time as a date of UTC or as seconds, and prefers the forced visitor id', () => {
    expect(read({ cdt: '2024-05-31 10:00:00' }).timestamp).toBe(Date.parse('2024-05-31T10:00:00Z'))
    expect(read({ cdt: '1717149600' }).timestamp).toBe(1717149600000)
    expect(read({ cid: 'fedcba9876543210' }).anonymousId).toBe('fedcba9876543210')
    expect(canonical('matomo', { url: 'https://x.example/', anonymousId: 'v-1' }).anonymousId).toBe('v-1')
  })

  it('knows a repeat by the order, or by chance or time in the request, and else by nothing', () => {
    const id = (line: object) => readMatomo(line as never)['messageId']
    expect(id({ idgoal: '0', ec_id: 'o1', rand: '1' })).toBe(id({ idgoal: '0', ec_id: 'o1', rand: '2' }))
    expect(id({ url: 'a', rand: '1' })).toBe(id({ rand: '1', url: 'a', messageId: 'x', peer: {} }))
    expect(id({ url: 'a', rand: '1' })).not.toBe(id({ url: 'a', rand: '2' }))
    expect(id({ url: 'a', pv_id: 'p', h: '1', m: '2', s: '3' })).toMatch(/^h-/)
    for (const plain of [{ url: 'a' }, { url: 'a', pv_id: 'p' }]) expect(id(plain)).toBeUndefined()
  })
})
