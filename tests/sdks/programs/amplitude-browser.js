import * as amplitude from '@amplitude/analytics-browser'

const { MILLRACE_URL, WRITE_KEY } = window.MILLRACE
const run = async () => {
  await amplitude.init(WRITE_KEY, { serverUrl: `${MILLRACE_URL}/2/httpapi`, remoteConfig: { fetchRemoteConfig: false }, autocapture: { attribution: true, pageViews: true, sessions: true, formInteractions: false, fileDownloads: false, elementInteractions: false }, transport: 'fetch' }).promise
  await amplitude.track('Product Viewed', { price: 5 }).promise
  amplitude.setUserId('user1')
  amplitude.identify(new amplitude.Identify().set('email', 'ada@example.com').setOnce('plan', 'free').add('visits', 2).append('seen', 'p1'))
  amplitude.setGroup('company', 'g1')
  amplitude.groupIdentify('company', 'g1', new amplitude.Identify().set('name', 'Shop'))
  amplitude.revenue(new amplitude.Revenue().setProductId('p1').setPrice(3.25).setQuantity(2).setCurrency('EUR'))
  const { code } = await amplitude.track('Order Completed', { order_id: 'o1', revenue: 12.5, currency: 'usd' }).promise
  if (code !== 200) throw new Error(`answered ${code}`)
  window.done = true
}

run()
