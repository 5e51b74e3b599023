import { Analytics } from '@segment/analytics-node'

const analytics = new Analytics({ writeKey: process.env.WRITE_KEY, host: process.env.MILLRACE_URL })
analytics.on('error', (fault) => {
  throw fault
})
analytics.track({ anonymousId: 'a1', event: 'Product Viewed', properties: { price: 5 } })
analytics.identify({ userId: 'u1', anonymousId: 'a1', traits: { email: 'ada@example.com' } })
analytics.track({ userId: 'u1', event: 'Order Completed', properties: { order_id: 'o1', revenue: 12.5, currency: 'usd' } })
analytics.page({ userId: 'u1', name: 'Home' })
analytics.group({ userId: 'u1', groupId: 'g1', traits: { name: 'Shop' } })
analytics.alias({ userId: 'u1', previousId: 'old' })
await analytics.closeAndFlush()
