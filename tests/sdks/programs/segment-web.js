import { AnalyticsBrowser } from '@segment/analytics-next'

const { MILLRACE_URL, WRITE_KEY, MODE } = window.MILLRACE
const deliveryStrategy = MODE === 'batching' ? { strategy: 'batching', config: { size: 100, timeout: 2000 } } : { strategy: 'standard' }
const analytics = AnalyticsBrowser.load({ writeKey: WRITE_KEY, cdnURL: MILLRACE_URL }, { integrations: { 'Segment.io': { deliveryStrategy } } })

const main = async () => {
  await analytics.page('Category', 'Shoes', { shelf: 7 })
  await analytics.track('Product Viewed', { sku: 's1', price: 5 })
  await analytics.alias('u1')
  await analytics.identify('u1', { email: 'ada@example.com' })
  await analytics.track('Order Completed', { order_id: 'o1', revenue: 12.5, currency: 'usd', name: '中文 ☕' })
  await analytics.group('g1', { name: 'Shop' })
  await analytics.track('Tea Drunk', {}, { timestamp: new Date(Date.now() - 3_600_000) })
}
main().finally(() => setTimeout(() => (window.done = true), 1000))
