import type { SdkCase } from '../sdk-case.ts'

const node = (mode: string): SdkCase => ({
  protocol: 'snowplow', sdk: 'snowplow-node', mode, version: '4.8.0', runtime: 'node', packages: ['@snowplow/node-tracker@4.8.0'],
  sent: 'page view and structured event before and after setUserId, self-describing event with an entity and a true time, transaction with an item, screen view, page ping',
  stored: [
    {
      type: 'page', anonymousId: 'd1', userId: null, sessionId: 's1', channel: 'email',
      context: { page: { title: 'P1', referrer: 'https://search.example/' }, campaign: { source: 'news', name: 'spring' }, screen: { width: 1440, height: 900 }, library: { name: 'node', version: '4.8.0' } },
    },
    { type: 'track', event: 'add', userId: null, properties: { category: 'shop', label: 'tea', value: 2 } },
    {
      type: 'track', event: 'viewed_product', userId: 'u1', anonymousId: 'd1', timestamp: 1_717_056_000_000, properties: { product_id: 'p1', price: 5 },
      context: { entities: [{ schema: 'iglu:com.acme/plan/jsonschema/1-0-0', data: { plan: 'gold' } }] },
    },
    { type: 'track', event: 'transaction', userId: 'u1', revenue: '12.5', currency: 'EUR', properties: { order_id: 'o1', city: 'Köln' } },
    { type: 'track', event: 'transaction_item', revenue: null, properties: { order_id: 'o1', sku: 'tea', price: 6.25, quantity: 2 } },
    { type: 'screen', properties: { name: 'Home' } },
    { type: 'track', event: 'page_ping', userId: 'u1' },
  ],
})

export const snowplowCases: readonly SdkCase[] = ['base64', 'plain', 'get'].map(node)
