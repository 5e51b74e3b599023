import { PostHog } from 'posthog-node'

const client = new PostHog(process.env.WRITE_KEY, { host: process.env.MILLRACE_URL, flushAt: 20, flushInterval: 0 })
client.on('error', (fault) => {
  throw fault
})
client.capture({ distinctId: 'a1', event: 'Product Viewed', properties: { price: 5, $process_person_profile: false } })
client.identify({ distinctId: 'u1', properties: { $set: { email: 'ada@example.com' }, $set_once: { plan: 'free' }, $anon_distinct_id: 'a1' } })
client.capture({
  distinctId: 'u1', event: 'Order Completed', groups: { company: 'g1' }, timestamp: new Date('2024-05-01T08:00:00Z'),
  properties: { order_id: 'o1', revenue: 12.5, currency: 'usd', $set: { tier: 'gold' }, $unset: ['plan'] },
})
client.capture({ distinctId: 'u1', event: '$pageview', properties: { $current_url: 'https://shop.example/basket?utm_source=news', $referrer: '$direct', utm_source: 'news' } })
client.groupIdentify({ groupType: 'company', groupKey: 'g1', properties: { name: 'Shop' } })
client.alias({ distinctId: 'u1', alias: 'old' })
await client.shutdown()
