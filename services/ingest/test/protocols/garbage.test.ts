import * as fc from 'fast-check'
import { isRefusal, decodeEvent, originAt } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { protocols } from '../../src/protocols/index.ts'
import { acceptedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const SEED = 1_126
const RUNS_A_PATH = 60

/** What a body of any of them may be made of. */
const NAMES = [
  'type', 'event', 'events', 'batch', 'requests', 'payload', 'properties', 'params', 'data', 'name', 'website', 'd', 'n', 'u', 'idsite', 'client_id', 'userId', 'anonymousId',
  'profileId', 'groupIds', 'user_properties', 'timestamp_micros', 'timestamp', 'cdt', 'idgoal', 'ec_items', 'writeKey', 'api_key', 'token', '__proto__', 'messageId', 'peer',
]
const leaf = fc.oneof(fc.constantFrom('wk', 'track', 'event', 'identify', 'pageview', '', 'null', '1', '?idsite=wk&rec=1', 'https://wk/%', '2024-06-01', '{"a":[', '[[null]]'), fc.string(), fc.integer(), fc.constant(null), fc.boolean())
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 6 })),
}))
const body = fc.oneof(
  { weight: 4, arbitrary: value.map((json) => Buffer.from(JSON.stringify(json))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...NAMES), leaf.map(String)).map((form) => Buffer.from(new URLSearchParams(form).toString())) },
)
const QUERY = 'measurement_id=wk&idsite=wk&writeKey=wk&token=wk&api_key=wk'
const HEADERS = { 'openpanel-client-id': 'wk', 'x-write-key': 'wk:s', 'x-umami-cache': 'a.b' }

describe('every path of every protocol', () => {
  const paths = protocols.flatMap((protocol) => protocol.paths.map(({ method, url }) => [protocol.name, method, url] as const))
  it.each(paths)('%s: %s %s answers any request without a fault of its own, and accepts only what can be decoded', async (_name, method, url) => {
    const { http, log, project } = await setUp()
    await fc.assert(fc.asyncProperty(body, async (payload) => {
      const sent = method === 'GET' ? { url: `${url}?${QUERY}&data=${encodeURIComponent(payload.toString('latin1'))}` } : { url: `${url}?${QUERY}`, payload }
      expect((await http.inject({ method, headers: HEADERS, ...sent })).statusCode).toBeLessThan(500)
    }), { seed: SEED, numRuns: RUNS_A_PATH })
    const decoded = acceptedOf(log).map(({ line, header, index }) => decodeEvent(originAt(header, index)!, project, JSON.parse(line.toString())))
    expect(decoded.filter(isRefusal)).toEqual([])
  })
})
