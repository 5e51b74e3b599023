import Mixpanel from 'mixpanel'

const { hostname, port } = new URL(process.env.MILLRACE_URL)
const mixpanel = Mixpanel.init(process.env.WRITE_KEY, { host: `${hostname}:${port}`, protocol: 'http', keepAlive: false, key: process.env.WRITE_KEY })
const told = (call) => new Promise((resolve, reject) => call((fault) => (fault ? reject(fault) : resolve())))
const { people, groups } = mixpanel

await told((done) => mixpanel.track('Product Viewed', { distinct_id: '$device:a1', $device_id: 'a1', price: 5 }, done))
await told((done) => mixpanel.track('$identify', { distinct_id: 'u1', $identified_id: 'u1', $anon_id: '$device:a1' }, done))
await told((done) => mixpanel.track('Order Completed', { distinct_id: 'u1', $user_id: 'u1', order_id: 'o1', revenue: 12.5, currency: 'usd', $insert_id: 'i1', ip: '203.0.113.9' }, done))
await told((done) => mixpanel.track_batch([
  { event: 'Liked', properties: { distinct_id: 'u1', time: 1714550400, text: '???>>>~~~' } }, { event: 'Shared', properties: { distinct_id: 'u1' } },
], done))
await told((done) => mixpanel.import('Order Completed', 1714550400, { distinct_id: 'u1', order_id: 'o0', revenue: 7, $insert_id: 'i0' }, done))
await told((done) => mixpanel.alias('u1', 'old', done))
await told((done) => people.set('u1', { $email: 'ada@example.com', $name: 'Ada' }, done))
await told((done) => people.set_once('u1', { plan: 'free' }, done))
await told((done) => people.increment('u1', { visits: 2 }, done))
await told((done) => people.append('u1', { seen: 'p1' }, done))
await told((done) => people.union('u1', { tags: ['a', 'b'] }, done))
await told((done) => people.remove('u1', { tags: 'a' }, done))
await told((done) => people.unset('u1', ['plan'], done))
await told((done) => people.track_charge('u1', 12.5, {}, done))
await told((done) => people.delete_user('u2', done))
await told((done) => groups.set('company', 'g1', { name: 'Shop' }, done))
