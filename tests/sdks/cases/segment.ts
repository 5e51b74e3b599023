import type { SdkCase } from '../sdk-case.ts'

export const segmentCases: readonly SdkCase[] = [
  {
    protocol: 'segment', sdk: 'segment-node', version: '3.1.0', runtime: 'node', packages: ['@segment/analytics-node@3.1.0'],
    sent: 'track before and after identify, an order, page, group, alias',
    stored: [
      { type: 'track', event: 'Product Viewed', anonymousId: 'a1', userId: null },
      { type: 'identify', userId: 'u1', anonymousId: 'a1', traits: { email: 'ada@example.com' } },
      { type: 'track', event: 'Order Completed', userId: 'u1', revenue: '12.5', currency: 'USD' },
      { type: 'page', event: 'Page Viewed', userId: 'u1' },
      { type: 'group', groupId: 'g1' },
      { type: 'alias', userId: 'u1', previousId: 'old' },
    ],
  },
]
