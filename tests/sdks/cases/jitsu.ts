import type { SdkCase } from '../sdk-case.ts'

export const jitsuCases: readonly SdkCase[] = [
  {
    protocol: 'jitsu', sdk: 'jitsu-web', version: '1.11.0', runtime: 'browser', packages: ['@jitsu/js@1.11.0'], writeKey: 'wk:secret',
    sent: 'page, track before and after identify, an order, group',
    stored: [
      { type: 'page', userId: null, channel: 'email', properties: { name: 'Shoes', shelf: 7 }, context: { campaign: { source: 'news', medium: 'email', name: 'spring' } } },
      { event: 'Product Viewed', userId: null, properties: { sku: 's1', price: 5 } },
      { type: 'identify', userId: 'u1', traits: { email: 'ada@example.com' } },
      { event: 'Order Completed', userId: 'u1', revenue: '12.5', currency: 'USD', properties: { name: '中文 ☕' } },
      { type: 'group', userId: 'u1', groupId: 'g1', traits: { name: 'Shop' } },
    ],
  },
]
