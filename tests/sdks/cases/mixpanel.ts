import type { SdkCase } from '../sdk-case.ts'

const ORDER = { type: 'track', event: 'Order Completed', userId: 'u1', revenue: '12.5', currency: 'USD' } as const
const IMPORTED = { type: 'track', event: 'Order Completed', userId: 'u1', revenue: '7', timestamp: 1_714_550_400_000 } as const
const PROFILE = [
  { type: 'identify', userId: 'u1', traits: { email: 'ada@example.com', $email: 'ada@example.com' } },
  ...[
    { setOnce: { plan: 'free' } }, { add: { visits: 2 } }, { append: { seen: ['p1'] } }, { union: { tags: ['a', 'b'] } }, { unset: ['plan'] },
  ].map((traitOps) => ({ type: 'identify' as const, userId: 'u1', traits: {}, traitOps })),
] as const
/** What only a server does. */
const MORE = [
  { type: 'identify', userId: 'u1', traitOps: { remove: { tags: ['a'] } } }, { type: 'identify', userId: 'u1', traitOps: { append: { $transactions: [{ $amount: 12.5 }] } } },
  { type: 'identify', userId: 'u2', traitOps: { delete: true } },
] as const
const GROUP = { type: 'group', groupId: 'g1', userId: null, anonymousId: null, traits: { name: 'Shop' }, context: { groupType: 'company' } } as const
const OPERATIONS = 'set, set once, increment, append, union, unset, a charge, an operation on a group'

const python = {
  protocol: 'mixpanel', sdk: 'mixpanel-python', version: '5.4.1', runtime: 'python', packages: ['mixpanel==5.4.1'],
  sent: `an anonymous event, an order, an import, merge, ${OPERATIONS}, remove, delete`,
  stored: [
    { type: 'track', event: 'Product Viewed', anonymousId: 'a1', userId: null }, ORDER, IMPORTED, { type: 'alias', userId: 'u1', previousId: 'a1' },
    ...PROFILE, ...MORE, GROUP,
  ],
} as const

const web = {
  protocol: 'mixpanel', sdk: 'mixpanel-browser', version: '2.83.0', runtime: 'browser', packages: ['mixpanel-browser@2.83.0'],
  sent: `page view, identify, an order, ${OPERATIONS}, an event twice as the page is left`,
  stored: [
    { type: 'page', userId: null, context: { campaign: { source: 'news', medium: 'email', name: 'spring' } } },
    { type: 'track', event: 'Product Viewed', userId: null }, { type: 'identify', userId: 'u1', event: 'Identify' }, ORDER, ...PROFILE, GROUP,
    { type: 'track', event: 'Left Shop', userId: 'u1' },
  ],
} as const

export const mixpanelCases: readonly SdkCase[] = [
  {
    protocol: 'mixpanel', sdk: 'mixpanel-node', version: '0.24.0', runtime: 'node', packages: ['mixpanel@0.24.0'],
    sent: `an anonymous event, identify, an order, a batch, an import, alias, ${OPERATIONS}, remove, delete`,
    stored: [
      { type: 'track', event: 'Product Viewed', anonymousId: 'a1', userId: null }, { type: 'identify', userId: 'u1', anonymousId: 'a1' },
      { ...ORDER, context: { ip: '203.0.113.9' } }, IMPORTED,
      { type: 'track', event: 'Liked', userId: 'u1', timestamp: 1_714_550_400_000, properties: { text: '???>>>~~~' } },
      { type: 'track', event: 'Shared', userId: 'u1' }, { type: 'alias', userId: 'u1', previousId: 'old' },
      ...PROFILE, ...MORE, GROUP,
    ],
  },
  python,
  { ...python, mode: 'buffered' },
  web,
  { ...web, mode: 'single', sent: 'the same, one request for each event' },
]
