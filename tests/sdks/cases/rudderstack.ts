import type { SdkCase } from '../sdk-case.ts'

const sent = 'track before and after identify, an order, page, group, alias'
const stored: SdkCase['stored'] = [
  { type: 'track', event: 'Product Viewed', anonymousId: 'a1', userId: null },
  { type: 'identify', userId: 'u1', anonymousId: 'a1', traits: { email: 'ada@example.com' } },
  { type: 'track', event: 'Order Completed', userId: 'u1', revenue: '12.5', currency: 'USD' },
  { event: 'Tea Drunk', userId: 'u1' },
  { type: 'page', userId: 'u1', properties: { name: 'Home' } },
  { type: 'screen', userId: 'u1', properties: { name: 'Start' } },
  { type: 'group', groupId: 'g1', traits: { name: 'Shop' } },
  { type: 'alias', userId: 'u1', previousId: 'old' },
]
const server = { protocol: 'rudderstack', sent: `${sent}; screen, an event of two days ago`, stored } as const
const web = {
  protocol: 'rudderstack', sdk: 'rudderstack-web', version: '3.34.1', runtime: 'browser', packages: ['@rudderstack/analytics-js@3.34.1'],
  stored: [
    { type: 'page', userId: null, channel: 'email', properties: { name: 'Shoes', category: 'Category', shelf: 7 }, context: { campaign: { source: 'news', medium: 'email', name: 'spring' } } },
    { event: 'Product Viewed', userId: null, properties: { sku: 's1', price: 5 } },
    { type: 'alias', userId: 'u1' },
    { type: 'identify', userId: 'u1', traits: { email: 'ada@example.com' } },
    { event: 'Order Completed', userId: 'u1', revenue: '12.5', currency: 'USD', properties: { name: '中文 ☕' } },
    { type: 'group', userId: 'u1', groupId: 'g1', traits: { name: 'Shop' } },
    { event: 'Tea Drunk', userId: 'u1' },
  ],
} as const satisfies Partial<SdkCase>

export const rudderstackCases: readonly SdkCase[] = [
  { ...server, sdk: 'rudderstack-node', version: '3.0.13', runtime: 'node', packages: ['@rudderstack/rudder-sdk-node@3.0.13'] },
  { ...web, mode: 'single', sent: `${sent}, one request each` },
  { ...web, mode: 'beacon', sent: `${sent}, by beacons` },
  { ...server, sdk: 'rudderstack-python', version: '2.1.9', runtime: 'python', packages: ['rudder-sdk-python==2.1.9'] },
  { ...server, sdk: 'rudderstack-java', version: '3.1.2', runtime: 'java', packages: ['com.rudderstack.sdk.java.analytics:analytics:3.1.2'] },
]
