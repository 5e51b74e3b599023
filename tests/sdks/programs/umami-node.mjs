import { Umami } from '@umami/node'

const umami = new Umami({ websiteId: process.env.WRITE_KEY, hostUrl: process.env.MILLRACE_URL })
const sent = async (promise) => {
  const answer = await promise
  if (answer.status !== 200) throw new Error(`answered ${answer.status}`)
}
await sent(umami.track({ url: '/a?utm_source=news', hostname: 'shop.example', title: 'A', referrer: 'https://ref.example/', language: 'en-GB', screen: '1280x1024' }))
await sent(umami.track('Product Viewed', { price: 5 }))
await sent(umami.identify({ plan: 'pro' }))
await sent(umami.send({ website: process.env.WRITE_KEY, id: 'u1', data: { plan: 'pro' } }, 'identify'))
await sent(umami.track({ name: 'Order Completed', id: 'u1', url: '/thanks', data: { revenue: 12.5, currency: 'USD' } }))
