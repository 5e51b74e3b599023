import type { SdkCase } from '../sdk-case.ts'

const NODE_AND_PYTHON = [
  { type: 'track', event: 'Product Viewed', anonymousId: 'a1', userId: null },
  { type: 'track', event: 'Order Completed', userId: 'u1', revenue: '12.5', currency: 'USD', groupId: 'g1' },
  { type: 'group', groupId: 'g1', userId: null, anonymousId: null, traits: { name: 'Shop' } },
] as const

const PYTHON = [
  ...NODE_AND_PYTHON,
  { type: 'identify', userId: 'u1', traits: { email: 'ada@example.com' } },
  { type: 'identify', userId: 'u1', traits: {}, traitOps: { setOnce: { plan: 'free' } } },
  // The other way round than the SDK for Node.
  { type: 'alias', userId: 'a1', previousId: 'u1' },
] as const

const WEB = [
  { type: 'page', userId: null, context: { campaign: { source: 'news', medium: 'email', name: 'spring' }, library: { name: 'web' } } },
  { type: 'track', event: 'Product Viewed', userId: null },
  { type: 'identify', userId: 'u1', traits: { email: 'ada@example.com' }, traitOps: { setOnce: { plan: 'free', $initial_utm_source: 'news' } } },
  { type: 'group', groupId: 'g1', userId: 'u1', traits: { name: 'Shop' } },
  { type: 'identify', userId: 'u1', traits: { tier: 'gold' } },
  { type: 'identify', userId: 'u1', traits: {}, traitOps: { unset: ['tier'] } },
  { type: 'track', event: 'Order Completed', userId: 'u1', revenue: '12.5', currency: 'USD', groupId: 'g1' },
  { type: 'alias', userId: 'u1', previousId: 'old' },
  { type: 'track', event: 'Left Shop', userId: 'u1' },
] as const

const python = {
  protocol: 'posthog', sdk: 'posthog-python', version: '7.91.1', runtime: 'python', packages: ['posthog==7.91.1'],
  sent: 'an anonymous event, set, set once, an order with a group, group, alias', stored: PYTHON,
} as const
const web = {
  protocol: 'posthog', sdk: 'posthog-js', version: '1.449.2', runtime: 'browser', packages: ['posthog-js@1.449.2'],
  sent: 'page view, identify, group, set, unset, an order, alias, an event as the page is left', stored: WEB,
  more: ['$pageleave', '$web_vitals'],
} as const

export const posthogCases: readonly SdkCase[] = [
  {
    protocol: 'posthog', sdk: 'posthog-node', version: '5.70.0', runtime: 'node', packages: ['posthog-node@5.70.0'],
    sent: 'an anonymous event, identify, an order of the past with a group, page view, group, alias',
    stored: [
      ...NODE_AND_PYTHON,
      { type: 'identify', userId: 'u1', anonymousId: 'a1', traits: { email: 'ada@example.com' }, traitOps: { setOnce: { plan: 'free' } } },
      { type: 'track', event: 'Order Completed', timestamp: Date.parse('2024-05-01T08:00:00Z'), traits: { tier: 'gold' }, traitOps: { unset: ['plan'] } },
      { type: 'page', userId: 'u1', context: { page: { url: 'https://shop.example/basket?utm_source=news' }, campaign: { source: 'news' } } },
      { type: 'alias', userId: 'u1', previousId: 'old' },
    ],
  },
  python,
  { ...python, mode: 'gzip' },
  { ...python, mode: 'v1' },
  web,
  { ...web, mode: 'plain', sent: 'the same without flags and compression' },
]
