import { gzipSync } from 'node:zlib'
import { eventText } from './events.mjs'

export interface WrittenRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

/** As `requests.lua` and `cannon.mjs` read them: method, path, headers, body, each behind its length. */
export const writtenRequests = (requests: readonly WrittenRequest[]): Buffer =>
  Buffer.concat(requests.flatMap(({ method, path, headers, body }) => [
    part(method), part(path), part(Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`).join('')), part(body),
  ]))

const part = (content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content as string)
  return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes])
}

const times = (run: string) => ({ run, people: 10_000, fromMs: Date.now() - 86_400_000, stepMs: 1 })

/** Some hundred bodies of many events each, packed as SDKs pack them. */
export const gzippedRequests = (batch: number, authorization: string): readonly WrittenRequest[] =>
  Array.from({ length: 200 }, (_, n) => ({
    method: 'POST', path: '/v1/batch', headers: { authorization, 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: gzipSync(`{"batch":[${Array.from({ length: batch }, (__, at) => eventText(times('gzip'), n * batch + at)).join(',')}]}`, { level: 6 }),
  }))

const JSON_TYPE = { 'content-type': 'application/json' }
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' }

/** Requests of eight protocols in turn, each about what its SDKs send. */
export const mixedRequests = (key: string): { readonly requests: readonly WrittenRequest[]; readonly eventsEach: number } => {
  const made = Array.from({ length: 400 }, (_, n) => FORMS[n % FORMS.length]!(key, n))
  const events = made.reduce((sum, { events: own }) => sum + own, 0)
  return { requests: made.map(({ request }) => request), eventsEach: events / made.length }
}

interface Made {
  readonly events: number
  readonly request: WrittenRequest
}
type Form = (key: string, n: number) => Made

const properties = (n: number) => ({ product_id: `p${n % 500}`, category: `c${n % 20}`, title: 'A thing that somebody might want to buy', price: n / 100, position: n % 30, list: 'spring', in_stock: true })
const list = <Item>(length: number, item: (at: number) => Item): readonly Item[] => Array.from({ length }, (_, at) => item(at))
const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = JSON_TYPE): WrittenRequest =>
  ({ method: 'POST', path, headers, body: typeof body === 'string' ? body : JSON.stringify(body) })
const base64 = (value: unknown): string => encodeURIComponent(Buffer.from(JSON.stringify(value)).toString('base64'))

const FORMS: readonly Form[] = [
  (key, n) => ({ events: 20, request: post('/v1/batch', `{"writeKey":"${key}","batch":[${list(20, (at) => eventText(times('mixed'), n * 20 + at)).join(',')}]}`) }),
  (key, n) => ({
    events: 10,
    request: post('/batch/', { api_key: key, batch: list(10, (at) => ({ event: 'Product Viewed', distinct_id: `u${n}`, uuid: `ph-${n}-${at}`, timestamp: new Date(Date.now() - 60_000).toISOString(), properties: { ...properties(n), $lib: 'posthog-node', $lib_version: '5.70.0' } })) }),
  }),
  (key, n) => ({
    events: 10,
    request: post('/2/httpapi', { api_key: key, events: list(10, (at) => ({ event_type: 'Product Viewed', user_id: `user-${n}`, device_id: `device-${n}`, insert_id: `am-${n}-${at}`, time: Date.now() - 60_000, event_properties: properties(n) })) }),
  }),
  (key, n) => ({
    events: 5,
    request: post('/track?verbose=1', `data=${base64(list(5, (at) => ({ event: 'Product Viewed', properties: { ...properties(n), token: key, distinct_id: `u${n}`, $insert_id: `mx-${n}-${at}`, time: Date.now() / 1000 - 60 } })))}`, FORM_TYPE),
  }),
  (key, n) => ({
    events: 1,
    request: post(`/sa?token=${key}`, `data=${base64({ type: 'track', event: 'ProductViewed', distinct_id: `u${n}`, time: Date.now() - 60_000, _track_id: n, lib: { $lib: 'js', $lib_version: '1.27.11' }, properties: properties(n) })}`, FORM_TYPE),
  }),
  (key, n) => ({ events: 1, request: post('/api/send', { type: 'event', payload: { website: key, hostname: 'shop.example', url: `/products/${n}`, name: 'product-viewed', data: properties(n) } }) }),
  (key, n) => ({ events: 1, request: post('/api/event', { n: 'pageview', u: `https://shop.example/products/${n}`, d: key, r: null }, { 'content-type': 'text/plain' }) }),
  (key, n) => ({ events: 1, request: { method: 'GET', path: `/matomo.php?idsite=${key}&rec=1&_id=${n.toString(16).padStart(16, '0')}&url=${encodeURIComponent(`https://shop.example/products/${n}`)}&action_name=Product`, headers: {}, body: '' } }),
]
