import { OpenPanel } from '@openpanel/sdk'

const op = new OpenPanel({ clientId: process.env.WRITE_KEY, clientSecret: 'not-a-key', apiUrl: process.env.MILLRACE_URL })
await op.track('Product Viewed', { price: 5 })
await op.identify({ profileId: 'u1', firstName: 'Ada', email: 'ada@example.com', properties: { plan: 'pro' } })
await op.track('Signed In', { groups: ['g1'] })
await op.increment({ profileId: 'u1', property: 'visits', value: 2 })
await op.decrement({ profileId: 'u1', property: 'credit' })
await op.revenue(12.5, { currency: 'USD', order: 'o1', deviceId: 'device-1' })
await op.upsertGroup({ id: 'g1', type: 'company', name: 'Shop', properties: { size: 3 } })
await op.setGroups(['g1', 'g2'])
await op.track('Read', { profileId: 'u2' })
