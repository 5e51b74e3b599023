import { init, track } from '@plausible-analytics/tracker'

const { MILLRACE_URL, WRITE_KEY } = window.MILLRACE
init({ domain: WRITE_KEY, endpoint: `${MILLRACE_URL}/api/event`, captureOnLocalhost: true, autoCapturePageviews: false, logging: false })
const sent = (name, options = {}) => new Promise((resolve, reject) => track(name, { ...options, callback: (answer) => (answer?.status === 202 ? resolve() : reject(new Error(JSON.stringify(answer)))) }))
const run = async () => {
  await sent('pageview')
  await sent('Product Viewed', { props: { price: '5' } })
  await sent('Order Completed', { revenue: { amount: 12.5, currency: 'USD' } })
  window.done = true
}
run()
