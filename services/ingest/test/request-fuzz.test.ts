import { gzipSync } from 'node:zlib'
import { chanceFrom, decodeEvent, decodeRecord, isRefusal, originAt, type Project, topics } from '@millrace/contracts'
import { expect, it } from 'vitest'
import { shapeFault } from './answer-shapes.ts'
import { bodyOf, readGoldens } from './golden.ts'
import { setUp } from './set-up.ts'

/** `npm run fuzz` sends 200,000. */
const REQUESTS = process.env['MILLRACE_LONG'] === '1' ? 200_000 : 3_000
const SEED = 20_263
/** Of the test's own process, its generator included; the bombs alone would take more in a few requests. */
const RESIDENT_BYTES_MAX = 1 << 30

interface Request {
  method: string
  url: string
  headers: Record<string, string>
  body: Buffer
}

const sent: readonly Request[] = readGoldens().flatMap(({ exchanges }) => exchanges)
  .filter(({ method }) => method === 'POST' || method === 'GET')
  .map((exchange) => ({ method: exchange.method, url: exchange.url, headers: { ...exchange.headers }, body: bodyOf(exchange) }))

const { below, pick, happens } = chanceFrom(SEED)
const DEEP = 20_000
const SNIPPETS = [
  '"__proto__":{"polluted":true},', '"constructor":{"prototype":{"polluted":true}},', '{"a":', '[[[[', ']', '}', '"', '\\', '\\u0000', '\u0000', '\ud800', '1e999', '-1e-999', '9'.repeat(400), '0x10', 'null', 'true',
  '[]', '{}', '%00', '%', '&', '=', '+', ' ', '\n', '"messageId":{},', '"timestamp":1e308,', '"timestamp":"9999-12-31T23:59:59.999Z",', '"userId":[],', '"batch":5,', '"events":{},', '"data":"e30",', `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`,
  '{"a":'.repeat(200), 'x'.repeat(70_000), '中文', '💥', '\u2028', '"peer":{"ip":5},', '"sentAt":"1999",',
]
const BROKEN = [Buffer.from([0xff, 0xfe, 0xfd]), Buffer.from([0xc3]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0x1f, 0x8b]), Buffer.from([0xef, 0xbb, 0xbf])]
const BOMB = gzipSync(Buffer.alloc(64 << 20, 0x20))
const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['content-type', 'application/x-www-form-urlencoded'], ['content-type', 'no type at all; ='], ['content-encoding', 'gzip'], ['content-encoding', 'br'], ['authorization', `Basic ${'A'.repeat(8_000)}`],
  ['authorization', 'Basic !!!'], ['authorization', 'Bearer x'], ['origin', 'null'], ['origin', 'https://shop.example'], ['user-agent', ''], ['user-agent', 'Mozilla/5.0 Googlebot/2.1'], ['x-forwarded-for', '1.2.3.4, x, ::1'],
  ['x-request-id', 'ü'.repeat(3)], ['anonymousid', '%%%'], ['x-umami-cache', 'a.b.c'], ['openpanel-client-id', 'wk'], ['x-write-key', ':'], ['dry-run', 'true'], ['accept-encoding', 'gzip;q=nonsense'], ['expect', '100-continue'],
]

const spliced = (body: Buffer, part: Buffer): Buffer => {
  const at = below(body.length + 1)
  return Buffer.concat([body.subarray(0, at), part, body.subarray(happens(0.5) ? at : Math.min(body.length, at + below(20)))])
}
const MUTATIONS: readonly ((request: Request) => void)[] = [
  (request) => { if (request.body.length > 0) request.body[below(request.body.length)] = below(256) },
  (request) => { request.body = request.body.subarray(0, below(request.body.length + 1)) },
  (request) => { request.body = spliced(request.body, Buffer.from(pick(SNIPPETS))) },
  (request) => { request.body = spliced(request.body, Buffer.from(pick(SNIPPETS))) },
  (request) => { request.body = spliced(request.body, pick(BROKEN)) },
  (request) => { request.body = gzipSync(request.body) },
  (request) => { request.body = happens(0.1) ? BOMB : gzipSync(gzipSync(request.body)) },
  (request) => { request.body = pick(sent).body },
  (request) => { request.body = Buffer.from(request.body.toString('base64')) },
  (request) => { request.body = Buffer.from(`data=${encodeURIComponent(request.body.toString('base64'))}`) },
  (request) => { request.url = pick(sent).url },
  (request) => { request.url += `${request.url.includes('?') ? '&' : '?'}${pick(['a', 'data', 'compression', '__proto__', 'token', 'verbose', 'idsite', 'e', 'events'])}=${pick(['1', '%', '%00', '%ff', 'e30=', 'wk', 'x'.repeat(8_000), '__proto__'])}` },
  (request) => { request.url = request.url.replace(/\w(?=[^/?]*\?|$)/, '%2e') },
  (request) => { request.headers[pick(Object.keys(request.headers).concat('x'))] = '' },
  (request) => { const [name, value] = pick(HEADERS); request.headers[name] = value },
  (request) => { request.method = request.method === 'GET' ? 'POST' : 'GET' },
]

const mutated = (): Request => {
  const { method, url, headers, body } = pick(sent)
  const request: Request = { method, url, headers: { ...headers }, body: Buffer.from(body) }
  for (let more = 1 + below(4); more > 0; more--) pick(MUTATIONS)(request)
  return request
}

/** What a consumer would stumble over. */
const faultsOf = (values: readonly Uint8Array[], project: Project): readonly string[] =>
  values.flatMap((value) => {
    const { header, lines } = decodeRecord(value)
    if (header.kind !== 'events') return []
    return lines().flatMap((line, index) => {
      const event = decodeEvent(originAt(header, index)!, project, JSON.parse(line.toString()))
      return isRefusal(event) ? [`${event.code}: ${line.toString().slice(0, 300)}`] : []
    })
  })

it(`answers ${REQUESTS} mutated requests of real SDKs in their protocols' shapes, and lets nothing into the log that cannot be read`, async () => {
  const { http, log, project } = await setUp()
  const faults: string[] = []
  const statuses = new Map<number, number>()
  let peak = 0
  for (let n = 0; n < REQUESTS && faults.length < 5; n++) {
    const request = mutated()
    const { statusCode, headers, rawPayload } = await http.inject({
      method: request.method as 'POST', url: request.url, headers: request.headers, ...(request.method === 'POST' ? { payload: request.body } : {}),
    })
    const fault = shapeFault(request.method, request.url, { status: statusCode, type: String(headers['content-type'] ?? ''), body: rawPayload.toString('latin1') })
    if (fault) faults.push(`${fault} (request ${n}: ${request.method} ${request.url.slice(0, 200)} ${JSON.stringify(request.headers).slice(0, 200)} ${request.body.toString('latin1').slice(0, 300)})`)
    statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
    if (n % 500 === 0) {
      faults.push(...faultsOf(log.forget(topics.accepted.name), project))
      peak = Math.max(peak, process.memoryUsage.rss())
    }
  }
  faults.push(...faultsOf(log.forget(topics.accepted.name), project))
  process.stdout.write(`requests: ${REQUESTS}, seed ${SEED}, statuses ${[...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`).join(', ')}; most memory ${Math.round(peak / (1 << 20))} MB\n`)
  expect(faults).toEqual([])
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  expect(peak).toBeLessThan(RESIDENT_BYTES_MAX)
})
