import type { SdkCase } from '../sdk-case.ts'

const shared = [
  { type: 'track', event: 'begin_session', userId: null },
  { type: 'alias', userId: 'u1' },
  // Sent after the change of the id, as the SDK does it.
  { type: 'track', event: 'ViewProduct', userId: 'u1', properties: { product_id: 'p1', price: 5 } },
  { type: 'identify', userId: 'u1', traits: { name: 'Ada', email: 'ada@example.com', level: 'gold' } },
  { type: 'track', event: 'PayOrder', userId: 'u1', revenue: '12.5', currency: 'CNY', properties: { order_id: 'o1', sum: 12.5 } },
  { type: 'identify', userId: 'u1', traitOps: { setOnce: { first_channel: 'news' }, add: { visits: 2 }, append: { likes: ['tea'] } } },
  // The end of a view.
  { type: 'track', event: '[CLY]_view', userId: 'u1' },
] as const

const node: SdkCase = {
  protocol: 'countly', sdk: 'countly-node', version: '24.10.4', runtime: 'node', packages: ['countly-sdk-nodejs@24.10.4'],
  sent: 'session, event, view, set_id, user details, each profile operation, an order',
  stored: [
    ...shared,
    { type: 'page', userId: 'u1', channel: 'server', properties: { name: '/p1' }, context: { page: { path: '/p1' }, library: { name: 'javascript_native_nodejs', version: '24.10.4' } } },
    { type: 'identify', traitOps: { union: { likes: ['books'] }, remove: { likes: ['milk'] }, unset: ['level'] }, properties: { user_details: { best: { $max: 7 } } } },
    { type: 'track', event: 'end_session', properties: { session_duration: 2 } },
  ],
}

const web: SdkCase = {
  protocol: 'countly', sdk: 'countly-web', version: '26.1.1', runtime: 'browser', packages: ['countly-sdk-web@26.1.1'],
  sent: 'session, views, event, set_id, user details, profile operations, an order',
  stored: [
    ...shared,
    { type: 'page', userId: 'u1', channel: 'email', context: { page: { path: '/shop' }, campaign: { source: 'news', name: 'spring' }, library: { name: 'javascript_native_web', version: '26.1.1' } } },
    // Of its own accord: the campaign as traits.
    { type: 'identify', userId: null, traits: { utm_source: 'news', utm_medium: 'email', utm_campaign: 'spring' } },
  ],
  more: ['[CLY]_orientation', 'session_duration', 'end_session'],
}

export const countlyCases: readonly SdkCase[] = [node, web]
