import sensors from 'sa-sdk-javascript'

const { MILLRACE_URL, WRITE_KEY, MODE } = window.MILLRACE
sensors.init({
  server_url: `${MILLRACE_URL}/sa?project=default&token=${WRITE_KEY}`,
  show_log: false,
  send_type: MODE === 'batch' ? 'image' : MODE,
  ...(MODE === 'batch' ? { batch_send: { send_interval: 500 } } : {}),
})
sensors.quick('autoTrack')
sensors.track('ViewProduct', { product_id: 'p1', price: 5 })
sensors.login('u1')
sensors.track('PayOrder', { order_id: 'o1', revenue: 12.5, currency: 'CNY' })
sensors.setProfile({ email: 'ada@example.com', level: 'gold' })
sensors.setOnceProfile({ first_channel: 'news' })
sensors.incrementProfile({ visits: 2 })
sensors.appendProfile({ likes: ['tea', 'books'] })
sensors.unsetProfile('level')
sensors.setItem('product', 'p1', { name: 'Tea' })
sensors.bind('$identity_mobile', '13800000000')
sensors.track('CallShop', { seconds: 9 })
sensors.unbind('$identity_mobile', '13800000000')
setTimeout(() => {
  sensors.logout(true)
  sensors.track('Leave', {})
  setTimeout(() => (window.done = true), 1_500)
}, 500)
