import type { SdkCase } from '../sdk-case.ts'

const sent = 'track before and after identify, an order, page, group, alias'
const stored: SdkCase['stored'] = [
  { type: 'track', event: 'Product Viewed', anonymousId: 'a1', userId: null },
  { type: 'identify', userId: 'u1', anonymousId: 'a1', traits: { email: 'ada@example.com' } },
  { type: 'track', event: 'Order Completed', userId: 'u1', revenue: '12.5', currency: 'USD' },
  { type: 'page', event: 'Page Viewed', userId: 'u1' },
  { type: 'group', groupId: 'g1' },
  { type: 'alias', userId: 'u1', previousId: 'old' },
]
const server = { protocol: 'segment', sent: `${sent}; screen, an event of two days ago`, stored: [...stored, { type: 'screen' }, { event: 'Tea Drunk', userId: 'u1' }] } as const
const web = {
  protocol: 'segment', sdk: 'segment-web', version: '1.84.3', runtime: 'browser', packages: ['@segment/analytics-next@1.84.3'],
  stored: [
    { type: 'page', userId: null, channel: 'email', properties: { name: 'Shoes', category: 'Category', shelf: 7 }, context: { campaign: { source: 'news', medium: 'email', name: 'spring' } } },
    { event: 'Product Viewed', userId: null, properties: { sku: 's1', price: 5 } },
    { type: 'identify', userId: 'u1', traits: { email: 'ada@example.com' } },
    { event: 'Order Completed', userId: 'u1', revenue: '12.5', currency: 'USD', properties: { name: '中文 ☕' } },
    { type: 'group', userId: 'u1', groupId: 'g1', traits: { name: 'Shop' } },
    { type: 'alias', userId: 'u1' },
    { event: 'Tea Drunk', userId: 'u1' },
  ],
} as const satisfies Partial<SdkCase>

export const segmentCases: readonly SdkCase[] = [
  { protocol: 'segment', sdk: 'segment-node', version: '3.1.0', runtime: 'node', packages: ['@segment/analytics-node@3.1.0'], sent, stored },
  { ...web, mode: 'single', sent: `${sent}, one request each` },
  { ...web, mode: 'batching', sent: `${sent}, in batches` },
  { ...server, sdk: 'segment-python', mode: 'plain', version: '2.4.0', runtime: 'python', packages: ['segment-analytics-python==2.4.0'] },
  { ...server, sdk: 'segment-python', mode: 'gzip', version: '2.4.0', runtime: 'python', packages: ['segment-analytics-python==2.4.0'] },
  { ...server, sdk: 'segment-go', version: '3.3.0', runtime: 'go', packages: ['github.com/segmentio/analytics-go/v3 v3.3.0'] },
  { ...server, sdk: 'segment-java', version: '3.5.1', runtime: 'java', packages: ['com.segment.analytics.java:analytics:3.5.1'] },
]
