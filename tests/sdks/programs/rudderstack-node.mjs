import RudderAnalytics from '@rudderstack/rudder-sdk-node'

const analytics = new RudderAnalytics(process.env.WRITE_KEY, { dataPlaneUrl: process.env.MILLRACE_URL, flushAt: 20 })
const fail = (fault) => {
  if (fault) throw fault
}
analytics.track({ anonymousId: 'a1', event: 'Product Viewed', properties: { price: 5, name: '中文 ☕' } }, fail)
analytics.identify({ userId: 'u1', anonymousId: 'a1', traits: { email: 'ada@example.com' } }, fail)
analytics.track({ userId: 'u1', event: 'Order Completed', properties: { order_id: 'o1', revenue: 12.5, currency: 'usd' } }, fail)
analytics.track({ userId: 'u1', event: 'Tea Drunk', timestamp: new Date(Date.now() - 172_800_000) }, fail)
analytics.page({ userId: 'u1', name: 'Home' }, fail)
analytics.screen({ userId: 'u1', name: 'Start' }, fail)
analytics.group({ userId: 'u1', groupId: 'g1', traits: { name: 'Shop' } }, fail)
analytics.alias({ userId: 'u1', previousId: 'old' }, fail)
await analytics.flush()
