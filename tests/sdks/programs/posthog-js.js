import posthog from 'posthog-js'

const { MILLRACE_URL, WRITE_KEY, MODE } = window.MILLRACE
posthog.init(WRITE_KEY, {
  api_host: MILLRACE_URL, autocapture: false, capture_pageview: true, disable_session_recording: true, disable_surveys: true,
  person_profiles: 'always', ...(MODE === 'plain' ? { advanced_disable_flags: true, disable_compression: true } : {}),
})
posthog.capture('Product Viewed', { price: 5 })
setTimeout(() => {
  posthog.identify('u1', { email: 'ada@example.com' }, { plan: 'free' })
  posthog.group('company', 'g1', { name: 'Shop' })
  posthog.setPersonProperties({ tier: 'gold' })
  posthog.unsetPersonProperties(['tier'])
  posthog.capture('Order Completed', { order_id: 'o1', revenue: 12.5, currency: 'usd' })
  posthog.alias('old')
}, 500)
setTimeout(() => {
  // Still in the queue when the page is left: it goes by beacon.
  posthog.capture('Left Shop', { kept: true })
  window.done = true
}, 6_000)
