import type { SdkCase } from '../sdk-case.ts'

export const ga4Cases: readonly SdkCase[] = [
  {
    protocol: 'ga4', sdk: 'ga4-requests', version: 'reference of 2026', runtime: 'node', packages: [],
    sent: 'no SDK exists: requests as the reference describes them; page view, item, sign-in with user properties, purchase, refund, a check of a bad name',
    stored: [
      { type: 'page', anonymousId: '1234567890.1700000000', userId: null, sessionId: '1717200000', channel: 'email' },
      { type: 'track', event: 'view_item', revenue: null },
      { type: 'track', event: 'login', userId: 'u1', anonymousId: '1234567890.1700000000', traits: { plan: 'pro' }, traitOps: { unset: ['old'] } },
      { type: 'track', event: 'purchase', userId: 'u1', revenue: '12.5', currency: 'USD' },
      { type: 'track', event: 'refund', userId: 'u1', revenue: '-2.5', currency: 'USD' },
    ],
  },
]
