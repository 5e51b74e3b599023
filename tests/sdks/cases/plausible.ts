import { expect } from 'vitest'
import type { SdkCase } from '../sdk-case.ts'

const visitor: string = expect.stringMatching(/^v-/)

export const plausibleCases: readonly SdkCase[] = [
  {
    protocol: 'plausible', sdk: 'plausible-tracker', version: '0.3.9', runtime: 'browser', packages: ['plausible-tracker@0.3.9'],
    sent: 'page view, event with properties',
    stored: [{ type: 'page', anonymousId: visitor, userId: null, channel: 'email' }, { type: 'track', event: 'Product Viewed', properties: { price: 5, colour: 'red' } }],
  },
  {
    protocol: 'plausible', sdk: 'plausible-web', version: '0.4.6', runtime: 'browser', packages: ['@plausible-analytics/tracker@0.4.6'],
    sent: 'page view, event with properties, an order with an amount',
    stored: [
      { type: 'page', anonymousId: visitor, userId: null, channel: 'email' },
      { type: 'track', event: 'Product Viewed', anonymousId: visitor, properties: { price: '5' } },
      { type: 'track', event: 'Order Completed', anonymousId: visitor, revenue: '12.5', currency: 'USD' },
    ],
    more: ['engagement'],
  },
]
