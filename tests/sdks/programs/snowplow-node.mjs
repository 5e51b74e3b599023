import {
  buildEcommerceTransaction, buildEcommerceTransactionItem, buildPagePing, buildPageView, buildScreenView, buildSelfDescribingEvent, buildStructEvent, newTracker,
} from '@snowplow/node-tracker'

const tracker = newTracker(
  { namespace: 'shop', appId: process.env.WRITE_KEY, encodeBase64: process.env.MODE === 'base64' },
  {
    endpoint: process.env.MILLRACE_URL, bufferSize: 1, eventMethod: process.env.MODE === 'get' ? 'get' : 'post',
    onRequestFailure: (fault) => {
      throw new Error(JSON.stringify(fault))
    },
  },
)
tracker.setPlatform('web')
tracker.setDomainUserId('d1')
tracker.setSessionId('s1')
tracker.setLang('en-GB')
tracker.setScreenResolution(1440, 900)
tracker.setTimezone('Europe/Berlin')
tracker.setUseragent('Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0')
tracker.setIpAddress('203.0.113.9')
tracker.track(buildPageView({ pageUrl: 'https://shop.example/p1?utm_source=news&utm_medium=email&utm_campaign=spring', pageTitle: 'P1', referrer: 'https://search.example/' }))
tracker.track(buildStructEvent({ category: 'shop', action: 'add', label: 'tea', property: 'size', value: 2 }))
tracker.setUserId('u1')
const context = [{ schema: 'iglu:com.acme/plan/jsonschema/1-0-0', data: { plan: 'gold' } }]
tracker.track(buildSelfDescribingEvent({ event: { schema: 'iglu:com.acme/viewed_product/jsonschema/1-0-0', data: { product_id: 'p1', price: 5 } } }), context, { type: 'ttm', value: 1717056000000 })
tracker.track(buildEcommerceTransaction({ orderId: 'o1', total: 12.5, currency: 'EUR', city: 'Köln' }))
tracker.track(buildEcommerceTransactionItem({ orderId: 'o1', sku: 'tea', price: 6.25, quantity: 2, currency: 'EUR' }))
tracker.track(buildScreenView({ name: 'Home', id: '4bd1' }))
tracker.track(buildPagePing({ pageUrl: 'https://shop.example/p1', pageTitle: 'P1' }))
tracker.flush()
