// There is no SDK of the Measurement Protocol: requests as its reference describes them.
const collect = async (body, path = '/mp/collect') => {
  const url = `${process.env.MILLRACE_URL}${path}?measurement_id=${process.env.WRITE_KEY}&api_secret=not-a-key`
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'text/plain;charset=UTF-8' }, body: JSON.stringify(body) })
  if (answer.status > 299) throw new Error(`answered ${answer.status}`)
  return answer.text()
}
const micros = (Date.now() - 60_000) * 1000
await collect({
  client_id: '1234567890.1700000000',
  events: [
    { name: 'page_view', params: { page_location: 'https://shop.example/a?utm_source=news&utm_medium=email', page_title: 'A', page_referrer: 'https://ref.example/', session_id: '1717200000', engagement_time_msec: 100 } },
    { name: 'view_item', params: { currency: 'USD', value: 5, items: [{ item_id: 'p1', item_name: 'Shoe', price: 5, quantity: 1 }] } },
  ],
})
await collect({ client_id: '1234567890.1700000000', user_id: 'u1', user_properties: { plan: { value: 'pro' }, old: { value: null } }, events: [{ name: 'login', params: { method: 'mail' } }] })
await collect({
  client_id: '1234567890.1700000000', user_id: 'u1', timestamp_micros: micros, consent: { ad_user_data: 'DENIED' },
  events: [{ name: 'purchase', params: { transaction_id: 'o1', value: 12.5, currency: 'USD', tax: 1, items: [{ item_id: 'p1', quantity: 2 }] } }, { name: 'refund', params: { transaction_id: 'o1', value: 2.5, currency: 'USD' } }],
})
const verdict = JSON.parse(await collect({ client_id: '1', events: [{ name: '_bad' }] }, '/debug/mp/collect'))
if (verdict.validationMessages[0].validationCode !== 'NAME_INVALID') throw new Error('a bad name was not told')
