import { expect } from 'vitest'
import type { SdkCase } from '../sdk-case.ts'

const visitor: string = expect.stringMatching(/^v-/)

export const umamiCases: readonly SdkCase[] = [
  {
    protocol: 'umami', sdk: 'umami-node', version: '0.4.0', runtime: 'node', packages: ['@umami/node@0.4.0'],
    sent: 'page view, track and identify of nobody, identify with an id, an order of that user',
    stored: [
      { type: 'page', anonymousId: null, userId: null },
      { type: 'track', event: 'Product Viewed', anonymousId: null, userId: null },
      { type: 'identify', userId: null, traits: { plan: 'pro' } },
      { type: 'identify', userId: 'u1', traits: { plan: 'pro' } },
      { type: 'track', event: 'Order Completed', userId: 'u1', revenue: '12.5', currency: 'USD' },
    ],
  },
  {
    protocol: 'umami', sdk: 'umami-requests', version: 'form of 2026', runtime: 'browser', packages: [],
    sent: 'the tracker of pages is no package: requests of its published form, with its token; page view, track, identify, an order',
    stored: [
      { type: 'page', anonymousId: visitor, userId: null, channel: 'email' },
      { type: 'track', event: 'Product Viewed', anonymousId: visitor, userId: null },
      { type: 'identify', anonymousId: visitor, userId: 'u1', traits: { plan: 'pro' } },
      { type: 'track', event: 'Order Completed', anonymousId: visitor, userId: 'u1', revenue: '12.5', currency: 'USD' },
    ],
  },
]
