import MatomoTracker from 'matomo-tracker'

const tracker = new MatomoTracker(process.env.WRITE_KEY, `${process.env.MILLRACE_URL}/matomo.php`)
tracker.on('error', (fault) => {
  throw new Error(String(fault))
})
const _id = '0123456789abcdef'
tracker.track({ url: 'https://shop.example/a?utm_source=news&utm_medium=email', action_name: 'A', urlref: 'https://ref.example/', _id, res: '1280x1024', lang: 'en-GB,en;q=0.9', dimension1: 'd' })
tracker.track({ url: 'https://shop.example/', uid: 'u2', e_c: 'Video', e_a: 'Play', e_n: 'Intro', e_v: 3 })
const answer = await new Promise((resolve) => tracker.trackBulk([
  { url: 'https://shop.example/b', _id, uid: 'u1', e_c: 'Account', e_a: 'Sign In' },
  { url: 'https://shop.example/thanks', _id, uid: 'u1', idgoal: 0, ec_id: 'o1', revenue: 12.5, ec_tx: 1, ec_items: JSON.stringify([['p1', 'Shoe', 'men', 5.5, 2]]) },
  { url: 'https://shop.example/', _id, uid: 'u1', search: 'shoes', cdt: Math.floor(Date.now() / 1000) - 3600 },
  { url: 'https://shop.example/', _id, uid: 'u1', cdt: '2024-01-01 10:00:00', token_auth: process.env.WRITE_KEY, cip: '203.0.113.7' },
], resolve))
if (answer !== '{"status":"success","tracked":4,"invalid":0}') throw new Error(answer)
