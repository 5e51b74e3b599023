import { RudderAnalytics } from '@rudderstack/analytics-js/bundled'

const { MILLRACE_URL, WRITE_KEY, MODE } = window.MILLRACE
const analytics = new RudderAnalytics()
analytics.load(WRITE_KEY, MILLRACE_URL, {
  configUrl: MILLRACE_URL, logLevel: 'ERROR',
  ...(MODE === 'beacon' ? { useBeacon: true, beaconQueueOptions: { maxItems: 10, flushQueueInterval: 1000 } } : {}),
})
const sent = (call) => new Promise((resolve) => call(resolve))
const main = async () => {
  await sent((done) => analytics.page('Category', 'Shoes', { shelf: 7 }, {}, done))
  await sent((done) => analytics.track('Product Viewed', { sku: 's1', price: 5 }, {}, done))
  await sent((done) => analytics.alias('u1', undefined, {}, done))
  await sent((done) => analytics.identify('u1', { email: 'ada@example.com' }, {}, done))
  await sent((done) => analytics.track('Order Completed', { order_id: 'o1', revenue: 12.5, currency: 'usd', name: '中文 ☕' }, {}, done))
  await sent((done) => analytics.group('g1', { name: 'Shop' }, {}, done))
  await sent((done) => analytics.track('Tea Drunk', {}, { originalTimestamp: new Date(Date.now() - 3_600_000).toISOString() }, done))
}
main().finally(() => setTimeout(() => (window.done = true), 4000))
