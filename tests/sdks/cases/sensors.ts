import type { SdkCase } from '../sdk-case.ts'

const operations = [
  { type: 'identify', traits: { email: 'ada@example.com', level: 'gold' } },
  { type: 'identify', traitOps: { setOnce: { first_channel: 'news' } } },
  { type: 'identify', traitOps: { add: { visits: 2 } } },
  { type: 'identify', traitOps: { append: { likes: ['tea', 'books'] } } },
  { type: 'identify', traitOps: { unset: ['level'] } },
] as const

const server = [
  ...operations,
  { type: 'track', event: 'ViewProduct', anonymousId: 'a1', userId: null, timestamp: 1_717_056_000_000, properties: { price: 5 } },
  { type: 'identify', userId: 'u1', anonymousId: 'a1', properties: { method: 'mobile' } },
  // The sign-up once more, of the new id itself.
  { type: 'identify', userId: 'u1', anonymousId: 'u1' },
  { type: 'track', event: 'PayOrder', revenue: '12.5', currency: 'CNY' },
  { type: 'track', event: '$item_set', userId: null, anonymousId: null, properties: { item_type: 'product', item_id: 'p1', name: 'Tea' } },
] as const

const node: SdkCase = {
  protocol: 'sensors', sdk: 'sensors-node', version: '1.2.6', runtime: 'node', packages: ['sa-sdk-node@1.2.6'],
  sent: 'track before and after trackSignup, $pageview, an order, each profile operation, items',
  stored: [
    ...server,
    { type: 'page', anonymousId: 'a1', channel: 'email', context: { page: { title: 'P1' }, campaign: { source: 'news' }, ip: '203.0.113.9', library: { name: 'Node', version: '1.2.6' } } },
    { type: 'track', event: 'Login', userId: 'u1', anonymousId: null },
    { type: 'track', event: '$item_delete', properties: { item_type: 'product', item_id: 'p2' } },
  ],
}

const python = (mode: string): SdkCase => ({
  protocol: 'sensors', sdk: 'sensors-python', mode, version: '1.11.0', runtime: 'python', packages: ['SensorsAnalyticsSDK==1.11.0'],
  sent: mode === 'dry' ? 'the same to be looked at only, and one event to be kept' : 'track before and after track_signup, an order, each profile operation, an item, bind, unbind and what is told of an identity alone',
  stored: mode === 'dry' ? [{ type: 'track', event: 'Kept', anonymousId: 'a1' }] : [
    ...server,
    { type: 'identify', userId: 'u1', anonymousId: null, traits: { mobile: '13800000000' } },
    { type: 'track', event: 'CallShop', userId: null, anonymousId: '$identity_mobile+13800000000', traits: { mobile: '13800000000' } },
    { type: 'track', event: '$UnbindID', userId: null, anonymousId: null, context: { identities: { $identity_mobile: '13800000000' } } },
    { type: 'identify', userId: 'u2', traitOps: { delete: true } },
  ],
})

const web = (mode: string): SdkCase => ({
  protocol: 'sensors', sdk: 'sensors-web', mode, version: '1.27.11', runtime: 'browser', packages: ['sa-sdk-javascript@1.27.11'],
  sent: 'first page view, track before and after login, an order, each profile operation, an item, bind, unbind, logout',
  stored: [
    { type: 'page', userId: null, channel: 'email', context: { page: { path: '/shop' }, campaign: { source: 'news', medium: 'email', name: 'spring' }, library: { name: 'js', version: '1.27.11' } } },
    { type: 'track', event: 'ViewProduct', userId: null, properties: { product_id: 'p1' } },
    { type: 'identify', userId: 'u1', properties: { $title: `sensors-web-${mode}` }, traits: {} },
    { type: 'track', event: 'PayOrder', userId: 'u1', revenue: '12.5', currency: 'CNY' },
    ...operations.map((operation) => ({ ...operation, userId: 'u1' })),
    { type: 'track', event: '$item_set', userId: null, anonymousId: null },
    { type: 'identify', userId: 'u1', traits: { mobile: '13800000000' } },
    { type: 'track', event: 'CallShop', userId: 'u1', traits: { mobile: '13800000000' } },
    { type: 'track', event: '$UnbindID', userId: null, anonymousId: null },
    { type: 'track', event: 'Leave', userId: null },
    // Of its own accord.
    { type: 'identify', userId: null, traitOps: { setOnce: { $first_browser_language: 'en-gb', $utm_source: 'news' } } },
  ],
})

export const sensorsCases: readonly SdkCase[] = [node, ...['default', 'batch', 'debug', 'dry'].map(python), ...['image', 'ajax', 'beacon', 'batch'].map(web)]
