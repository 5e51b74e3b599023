import type { SdkCase } from '../sdk-case.ts'

const BOTH = { userId: 'user1', anonymousId: 'device1' } as const
const ORDER = { type: 'track', event: 'Order Completed', userId: 'user1', revenue: '12.5', currency: 'USD' } as const
const GROUP = { type: 'group', groupId: 'g1', traits: { name: 'Shop' }, context: { groupType: 'company' } } as const
const OPERATIONS = {
  setOnce: { plan: 'free' }, add: { visits: 2 }, append: { seen: ['p1'], first: ['p0'] }, union: { tags: ['a', 'b'], marks: ['c'] }, remove: { old: ['x'] }, unset: ['gone'],
} as const
const SENT = 'an anonymous event, every operation of identify, an order of the past, revenue as price × quantity, a group of the user, a group’s own properties'

const node = {
  protocol: 'amplitude', sdk: 'amplitude-node', version: '1.5.73', runtime: 'node', packages: ['@amplitude/analytics-node@1.5.73'], sent: SENT,
  stored: [
    { type: 'track', event: 'Product Viewed', userId: null, anonymousId: 'device1', channel: 'web' },
    { type: 'identify', ...BOTH, traits: { email: 'ada@example.com' }, traitOps: OPERATIONS }, { ...ORDER, timestamp: 1_714_550_400_000 },
    { type: 'track', event: 'revenue_amount', userId: 'user1', revenue: '6.5', currency: 'EUR' },
    { type: 'identify', userId: 'user1', groupId: 'g1', traits: { company: 'g1' } }, { ...GROUP, userId: 'user1' },
    { type: 'identify', userId: 'user2', traitOps: { delete: true } },
  ],
} as const
const python = {
  protocol: 'amplitude', sdk: 'amplitude-python', version: '1.3.0', runtime: 'python', packages: ['amplitude-analytics==1.3.0'], sent: SENT,
  stored: [
    { type: 'track', event: 'Product Viewed', userId: null, anonymousId: 'device1', channel: 'server' },
    { type: 'identify', ...BOTH, traits: { email: 'ada@example.com' }, traitOps: OPERATIONS }, { ...ORDER, timestamp: 1_714_550_400_000 },
    { type: 'track', event: 'revenue_amount', ...BOTH, revenue: '6.5' }, { type: 'identify', ...BOTH, groupId: 'g1', traits: { company: 'g1' } }, GROUP,
  ],
} as const

export const amplitudeCases: readonly SdkCase[] = [
  node,
  { ...node, mode: 'batch' },
  python,
  { ...python, mode: 'batch' },
  {
    protocol: 'amplitude', sdk: 'amplitude-browser', version: '2.47.0', runtime: 'browser', packages: ['@amplitude/analytics-browser@2.47.0'],
    sent: 'page view, session, identify, groups, revenue, an order',
    stored: [
      { type: 'page', userId: null, context: { campaign: { source: 'news', medium: 'email', name: 'spring' } } },
      { type: 'track', event: 'Product Viewed', userId: null, channel: 'email' }, { type: 'identify', userId: null, traits: { utm_source: 'news' } },
      { type: 'identify', userId: 'user1', traits: { email: 'ada@example.com' }, traitOps: { setOnce: { plan: 'free' }, add: { visits: 2 }, append: { seen: ['p1'] } } }, { type: 'identify', userId: 'user1', groupId: 'g1' }, GROUP, ORDER,
      { type: 'track', event: 'revenue_amount', userId: 'user1', revenue: '6.5', currency: 'EUR' },
    ],
    more: ['session_start', 'session_end'],
  },
]
