import Plausible from 'plausible-tracker'

const { MILLRACE_URL, WRITE_KEY } = window.MILLRACE
const { trackEvent, trackPageview } = Plausible({ domain: WRITE_KEY, apiHost: MILLRACE_URL, trackLocalhost: true })
const sent = (send) => new Promise((resolve) => send({ callback: resolve }))
const run = async () => {
  await sent((options) => trackPageview({}, options))
  await sent((options) => trackEvent('Product Viewed', { ...options, props: { price: 5, colour: 'red' } }))
  window.done = true
}
run()
