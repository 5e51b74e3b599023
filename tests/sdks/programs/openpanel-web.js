import { OpenPanel } from '@openpanel/web'

const { MILLRACE_URL, WRITE_KEY } = window.MILLRACE
const op = new OpenPanel({ clientId: WRITE_KEY, apiUrl: MILLRACE_URL })
const run = async () => {
  op.screenView()
  await op.track('Product Viewed', { price: 5 })
  await op.identify({ profileId: 'u1', firstName: 'Ada', properties: { plan: 'pro' } })
  await op.increment({ profileId: 'u1', property: 'visits' })
  op.pendingRevenue(12.5, { currency: 'USD' })
  await op.flushRevenue()
  await op.setGroup('g1')
  if (!op.getDeviceId().startsWith('v-') || op.getSessionId() === '') throw new Error('the SDK was not told its device')
  window.done = true
}
run()
