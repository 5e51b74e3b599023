import mixpanel from 'mixpanel-browser'

const { MILLRACE_URL, WRITE_KEY, MODE } = window.MILLRACE
mixpanel.init(WRITE_KEY, { api_host: MILLRACE_URL, track_pageview: true, autocapture: false, persistence: 'localStorage', batch_requests: MODE !== 'single' })
mixpanel.track('Product Viewed', { price: 5 })
setTimeout(() => {
  mixpanel.identify('u1')
  mixpanel.people.set({ $email: 'ada@example.com' })
  mixpanel.people.set_once({ plan: 'free' })
  mixpanel.people.increment('visits', 2)
  mixpanel.people.append('seen', 'p1')
  mixpanel.people.union('tags', ['a', 'b'])
  mixpanel.people.unset('plan')
  mixpanel.people.track_charge(12.5)
  mixpanel.set_group('company', 'g1')
  mixpanel.get_group('company', 'g1').set({ name: 'Shop' })
  mixpanel.track('Order Completed', { order_id: 'o1', revenue: 12.5, currency: 'usd' })
}, 500)
setTimeout(() => mixpanel.track('Left Shop', { kept: true }), 7_000)
// Still in the queue: it goes by beacon when the browser keeps the page for the way back, and again when the page is left.
setTimeout(() => window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })), 7_300)
setTimeout(() => {
  window.done = true
}, 7_600)
