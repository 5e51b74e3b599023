import { jitsuAnalytics } from '@jitsu/js'

const { MILLRACE_URL, WRITE_KEY } = window.MILLRACE
const analytics = jitsuAnalytics({ host: MILLRACE_URL, writeKey: WRITE_KEY })
const main = async () => {
  await analytics.page('Shoes', { shelf: 7 })
  await analytics.track('Product Viewed', { sku: 's1', price: 5 })
  await analytics.identify('u1', { email: 'ada@example.com' })
  await analytics.track('Order Completed', { order_id: 'o1', revenue: 12.5, currency: 'usd', name: '中文 ☕' })
  await analytics.group('g1', { name: 'Shop' })
}
main().finally(() => setTimeout(() => (window.done = true), 1500))
