/** Made-up events as the SDKs send them: a `track` of about 490 bytes with 8 properties and a context. */
const NAMES = ['Product Viewed', 'Product Viewed', 'Product Viewed', 'Product Added', 'Page Viewed', 'Searched', 'Order Completed', 'Checkout Started']
/** Visits of so many events, so many of them at once: events of a person come close together, as they do in a log of a site. */
const VISIT_EVENTS = 10
const VISITORS_AT_ONCE = 200

/**
 * The n-th event of a run, the same each time. A visit begins with the device alone and goes on signed in, so each
 * person has a past that is taken along; one event in eight is an order.
 * @param {{ run: string, people: number, fromMs: number, stepMs: number }} options `stepMs` between two events
 * @returns {string} JSON
 */
export const eventText = ({ run, people, fromMs, stepMs }, n) => {
  const inVisit = Math.floor(n / VISITORS_AT_ONCE) % VISIT_EVENTS
  const visit = Math.floor(n / (VISITORS_AT_ONCE * VISIT_EVENTS)) * VISITORS_AT_ONCE + n % VISITORS_AT_ONCE
  const person = visit % people
  const name = NAMES[Math.imul(n + 7, 2_654_435_761) >>> 29]
  const time = new Date(fromMs + n * stepMs).toISOString()
  // Digits spread over the id, as in the random ids of the SDKs.
  const random = (Math.imul(n + 1, 2_246_822_519) >>> 0).toString(16).padStart(8, '0')
  const price = (Math.imul(n + 3, 3_266_489_917) >>> 16) / 100
  const order = name === 'Order Completed' ? `"order_id":"${run}-o${n}","revenue":${price},"currency":"USD",` : ''
  const ids = `${inVisit < 2 ? `"anonymousId":"${run}-a${person}",` : ''}${inVisit > 0 ? `"userId":"${run}-u${person}",` : ''}`
  return `{"type":"track","event":"${name}","messageId":"${run}-${random}-${n}-4c8f-9b1d-5e2a",${ids}"timestamp":"${time}",` +
    `"properties":{${order}"product_id":"p${n % 500}","category":"c${n % 20}","title":"A thing that somebody might want to buy","price":${price},"position":${n % 30},"list":"spring","in_stock":true},` +
    `"context":{"library":{"name":"analytics.js","version":"5.1.0"},"page":{"path":"/products/${n % 500}","url":"https://shop.example/products/${n % 500}"},"locale":"zh-CN"}}`
}
