import * as amplitude from '@amplitude/analytics-node'

const url = process.env.MILLRACE_URL
const useBatch = process.env.MODE === 'batch'
await amplitude.init(process.env.WRITE_KEY, { serverUrl: `${url}/${useBatch ? 'batch' : '2/httpapi'}`, useBatch }).promise
const user = { user_id: 'user1' }
const results = [
  amplitude.track('Product Viewed', { price: 5 }, { device_id: 'device1', platform: 'Web', os_name: 'Chrome', language: 'en-GB', ip: '$remote' }),
  amplitude.identify(new amplitude.Identify().set('email', 'ada@example.com').setOnce('plan', 'free').add('visits', 2).append('seen', 'p1')
    .prepend('first', 'p0').postInsert('tags', ['a', 'b']).preInsert('marks', 'c').remove('old', 'x').unset('gone'), { ...user, device_id: 'device1' }),
  amplitude.track('Order Completed', { order_id: 'o1', revenue: 12.5, currency: 'usd' }, { ...user, device_id: 'device1', time: Date.parse('2024-05-01T08:00:00Z') }),
  amplitude.revenue(new amplitude.Revenue().setProductId('p1').setPrice(3.25).setQuantity(2).setCurrency('EUR'), user),
  amplitude.setGroup('company', 'g1', user),
  amplitude.groupIdentify('company', 'g1', new amplitude.Identify().set('name', 'Shop'), user),
  amplitude.identify(new amplitude.Identify().clearAll(), { user_id: 'user2' }),
]
await amplitude.flush().promise
for (const { promise } of results) {
  const { code, message } = await promise
  if (code !== 200) throw new Error(`${code} ${message}`)
}
