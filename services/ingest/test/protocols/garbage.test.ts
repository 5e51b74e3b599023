import { gunzipSync, gzipSync } from 'node:zlib'
import { chanceFrom, decodeEvent, isRefusal, originAt } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { protocols } from '../../src/protocols/index.ts'
import { shapeFault } from '../answer-shapes.ts'
import { bodyOf, type Exchange, readGoldens } from '../golden.ts'
import { acceptedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const SEED = 1_126
const REQUESTS_A_RECORDING = 40
const { pick, happens } = chanceFrom(SEED)

const goldens = readGoldens()

/** A text with what it holds, JSON within base64 within a form at the most, and the way back. */
interface Opened {
  readonly value: unknown
  readonly closed: (value: unknown) => string
}

const unzipped = (bytes: Buffer): { readonly isPacked: boolean; readonly text: string } => {
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  return { isPacked, text: (isPacked ? gunzipSync(bytes) : bytes).toString() }
}

const opened = (text: string): Opened => {
  if (/^\s*[[{]/.test(text)) return { value: JSON.parse(text), closed: (value) => JSON.stringify(value) ?? '' }
  if (/^[\w.]+=/.test(text)) return openedForm([...new URLSearchParams(text)])
  const bytes = /^[\w+/ -]{8,}=*$/.test(text) ? Buffer.from(text.replaceAll(' ', '+'), 'base64') : Buffer.alloc(0)
  const { isPacked, text: inner } = unzipped(bytes)
  if (!/^[[{]/.test(inner)) return { value: text, closed: (value) => (typeof value === 'string' ? value : JSON.stringify(value) ?? '') }
  const { value, closed } = opened(inner)
  return { value, closed: (changed) => (isPacked ? gzipSync(closed(changed)) : Buffer.from(closed(changed))).toString('base64') }
}

const openedForm = (entries: readonly (readonly [name: string, value: string])[]): Opened => {
  const parts = Object.fromEntries(entries.map(([name, value]) => [name, opened(value)]))
  const closedAll = (values: object): string =>
    new URLSearchParams(Object.entries(values).map(([name, value]): [string, string] => [name, Object.hasOwn(parts, name) ? parts[name]!.closed(value) : JSON.stringify(value) ?? ''])).toString()
  return {
    value: Object.fromEntries(Object.entries(parts).map(([name, { value }]) => [name, value])),
    closed: (value) => (typeof value === 'object' && value !== null ? closedAll(value) : JSON.stringify(value) ?? ''),
  }
}

/** What no SDK writes, wherever it is put; undefined leaves a field out. */
const GARBAGE: readonly unknown[] = [
  undefined, null, '', 0, -1, 1.5, 1e300, 2 ** 60, true, false, [], {}, [[null]], [null, 5, [], {}], { a: { b: [] } }, 'null', '1', 'track', '{"a":[', '2024-06-01', '9999-12-31T23:59:59Z', 'https://shop.example/%zz?a=%',
  '\ud800', '\u0000', '中文', 'x'.repeat(300), JSON.parse('{"__proto__":{"polluted":true}}'), { $set: { a: 1 }, $append: { a: [1] } }, { toString: 1 },
]

/** The value with garbage at one place. */
const spoilt = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0 || happens(0.1)) return pick(GARBAGE)
  const [name, one] = pick(Object.entries(value))
  const changed = spoilt(one)
  return Array.isArray(value) ? value.map((old: unknown, index) => (index === Number(name) ? changed : old)) : { ...value, [name]: changed }
}

const spoiltText = (text: string): string => {
  const { value, closed } = opened(text)
  return closed(happens(0.5) ? spoilt(value) : spoilt(spoilt(value)))
}

const spoiltRequest = (exchange: Exchange) => {
  const { method, url, headers } = exchange
  const [path = '', query] = url.split('?')
  if (method === 'GET') return { method, headers, url: query === undefined ? url : `${path}?${spoiltText(query)}` } as const
  const { isPacked, text } = unzipped(bodyOf(exchange))
  const sent = spoiltText(text)
  return { method: 'POST', headers, url, payload: isPacked ? gzipSync(sent) : Buffer.from(sent) } as const
}

const NONSENSE = [
  ...[
    '', '{', '[]', 'null', '5', '"text"', '{}', '[[[]]]', '{"data":{}}', '{"batch":{}}', '{"events":[null,5,[]]}', 'a=b', 'data=%%%', 'data=e30', 'data_list=bnVsbA==', 'events=5&app_key=wk', 'requests=5&app_key=wk',
    '{"data":[null,5,[],{}]}', '\u0000\u0001', '{"data":"', 'data=H4sI',
  ].map((text) => Buffer.from(text)),
  Buffer.from([0x1f, 0x8b, 0x08]), gzipSync('{"data":['), Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('{"data":[{"e":"\xff"}]}', 'latin1'),
]

const start = async () => {
  const system = await setUp()
  const faultOf = async (request: { readonly method: 'GET' | 'POST'; readonly url: string; readonly headers?: Exchange['headers']; readonly payload?: Buffer }) => {
    const { statusCode, headers, rawPayload } = await system.http.inject(request)
    const fault = statusCode === 404 ? 'no such path' : shapeFault(request.method, request.url, { status: statusCode, type: String(headers['content-type'] ?? ''), body: rawPayload.toString('latin1') })
    return fault === null ? [] : [`${fault}: ${request.method} ${request.url} ${request.payload?.toString('latin1') ?? ''}`]
  }
  return { ...system, faultOf }
}

describe('garbage', () => {
  it.each(goldens)('within the requests of $sdk never fails ingest, and only what can be decoded is accepted', async ({ exchanges }) => {
    const { faultOf, time, log, project } = await start()
    time.at = Math.max(...exchanges.map(({ at }) => at))
    const sent = exchanges.filter(({ method, status }) => (method === 'POST' || method === 'GET') && status !== 404)
    // All at once, so that they share the waits for the log.
    const faults = await Promise.all(Array.from({ length: REQUESTS_A_RECORDING }, () => faultOf(spoiltRequest(pick(sent)))))
    expect(faults.flat()).toEqual([])
    const events = acceptedOf(log).filter(({ header }) => header.kind === 'events')
    expect(events.length).toBeGreaterThan(0)
    expect(events.map(({ line, header, index }) => decodeEvent(originAt(header, index)!, project, JSON.parse(line.toString()))).filter(isRefusal)).toEqual([])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('alone is answered on every path of every protocol in its shape', async () => {
    const { faultOf, log } = await start()
    for (const { method, url } of protocols.flatMap(({ paths }) => paths)) {
      const faults = await Promise.all(NONSENSE.map((payload) => {
        const parameters = new URLSearchParams({ data: payload.toString('latin1'), e: 'pv', events: payload.toString(), token: 'wk' }).toString()
        return faultOf(method === 'GET' ? { method, url: `${url}?${parameters}` } : { method, url: `${url}?token=wk&writeKey=wk`, payload })
      }))
      expect(faults.flat()).toEqual([])
    }
    expect(log.appends()).toBeGreaterThan(0)
  })
})
