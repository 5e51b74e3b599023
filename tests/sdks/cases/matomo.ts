import type { SdkCase } from '../sdk-case.ts'

export const matomoCases: readonly SdkCase[] = [
  {
    protocol: 'matomo', sdk: 'matomo-node', version: '2.2.4', runtime: 'node', packages: ['matomo-tracker@2.2.4'],
    sent: 'page view, event of a user without a visitor id; at once: sign-in, order, search of an hour ago, page view of 2024',
    stored: [
      { type: 'page', anonymousId: '0123456789abcdef', userId: null, channel: 'email' },
      { type: 'track', event: 'Play', userId: 'u2', anonymousId: null },
      { type: 'track', event: 'Sign In', userId: 'u1', anonymousId: '0123456789abcdef' },
      { type: 'track', event: 'Order Completed', userId: 'u1', revenue: '12.5' },
      { type: 'track', event: 'Site Searched', userId: 'u1' },
      { type: 'page', userId: 'u1', timestamp: Date.UTC(2024, 0, 1, 10) },
    ],
  },
  {
    protocol: 'matomo', sdk: 'matomo-requests', version: 'reference of 2026', runtime: 'browser', packages: [],
    sent: 'the tracker of pages is no package: requests as the reference describes them, as picture, beacon, form and list; page view, event, link of a user, order, sign of life',
    stored: [
      { type: 'page', anonymousId: 'fedcba9876543210', userId: null, channel: 'email' },
      { type: 'track', event: 'Play', anonymousId: 'fedcba9876543210', userId: null },
      { type: 'track', event: 'Link Clicked', anonymousId: 'fedcba9876543210', userId: 'u1' },
      { type: 'track', event: 'Order Completed', userId: 'u1', revenue: '12.5' },
    ],
  },
]
