import module from 'countly-sdk-web'

const { MILLRACE_URL, WRITE_KEY } = window.MILLRACE
const Countly = module.default ?? module
Countly.init({ app_key: WRITE_KEY, url: MILLRACE_URL, interval: 100, app_version: '2.1.0' })
Countly.track_sessions()
Countly.track_pageview('/shop')
Countly.add_event({ key: 'ViewProduct', count: 1, segmentation: { product_id: 'p1', price: 5 } })
Countly.set_id('u1')
Countly.user_details({ name: 'Ada', email: 'ada@example.com', custom: { level: 'gold' } })
Countly.add_event({ key: 'PayOrder', count: 1, sum: 12.5, segmentation: { order_id: 'o1', currency: 'CNY' } })
Countly.userData.set_once('first_channel', 'news')
Countly.userData.increment_by('visits', 2)
Countly.userData.push('likes', 'tea')
Countly.userData.save()
setTimeout(() => {
  Countly.track_pageview('/thanks')
  Countly.end_session()
  setTimeout(() => (window.done = true), 2_500)
}, 1_500)
