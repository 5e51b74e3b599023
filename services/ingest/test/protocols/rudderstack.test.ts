import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { decodeEvent, isRefusal, originAt } from '@millrace/contracts'
import { LogUnavailable } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import type { Wire } from '../../src/domain/wire.ts'
import { rudderstack } from '../../src/protocols/rudderstack.ts'
import { bodyOf, type Golden } from '../golden.ts'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const track = (fields: object = {}) => ({ type: 'track', event: 'A', userId: 'u1', messageId: 'm1', channel: 'server', ...fields })
const visitor = (id: string) => ({ anonymousid: Buffer.from(id).toString('base64') })

const stored = ({ log, project }: Awaited<ReturnType<typeof setUp>>) => acceptedOf(log).map(({ line, header, index }) => {
  const event = decodeEvent(originAt(header, index)!, project, JSON.parse(line.toString()))
  if (isRefusal(event)) throw new Error(event.code)
  return event
})

describe('a request of RudderStack', () => {
  it('is told from Segment’s by its header, its path, or what servers write beside each event', async () => {
    const system = await setUp()
    const { post, basic } = system
    const web = { ...basic, origin: 'https://shop.example' }
    await post('/v1/track', track({ messageId: 'header', channel: undefined }), { ...web, ...visitor('a1') })
    await post('/v1/track', track({ messageId: 'retry', channel: undefined }), { ...basic, 'rsa-retry-attempt': '1' })
    await post('/beacon/v1/batch?writeKey=wk', { batch: [track({ messageId: 'beacon', channel: 'web' })], sentAt: '2024-06-01T12:00:00Z' }, { origin: 'https://shop.example' })
    await post('/v1/batch', gzipSync(JSON.stringify({ batch: [track({ messageId: 'server' })], timestamp: '2024-06-01T12:00:00Z', sentAt: '2024-06-01T12:00:00Z' })))
    await post('/v1/batch', '{"batch": [{"type": "track", "event": "A", "userId": "u1", "messageId": "spaced", "channel": "server"}], "sentAt": "2024-06-01T12:00:00Z"}')
    await post('/v1/batch', { batch: [track({ messageId: 'first', properties: { text: 'x'.repeat(1000) } })] })
    await post('/v1/batch', { batch: [{ properties: { text: 'x'.repeat(1000) }, ...track({ messageId: 'last' }) }] })
    await post('/v1/batch', { batch: [track({ messageId: 'library', channel: undefined })], context: { library: { version: '1', name: 'java-rudder-analytics' } } })
    expect(stored(system).map(({ messageId, protocol }) => [messageId, protocol])).toEqual(
      ['header', 'retry', 'beacon', 'server', 'spaced', 'first', 'last', 'library'].map((id) => [id, 'rudderstack']))
  })

  it('is not one where Segment’s SDKs or plain clients write alike', async () => {
    const system = await setUp()
    const { post, basic } = system
    await post('/v1/batch', { batch: [track({ messageId: 'key in the body' })], writeKey: 'wk', sentAt: '2024-06-01T12:00:00Z' }, {})
    await post('/v1/track', track({ messageId: 'page' }), { ...basic, origin: 'https://shop.example' })
    await post('/v1/track', { ...track({ messageId: 'boat shop', channel: undefined }), properties: { name: 'Rudder', channel: 'web' } })
    await post('/v1/track', { properties: { text: 'x'.repeat(1000) }, ...track({ messageId: 'far from both edges' }), context: { text: 'x'.repeat(1000) } })
    expect(stored(system).map(({ protocol }) => protocol)).toEqual(['segment', 'segment', 'segment', 'segment'])
  })

  it.each(['segment.segment-node', 'segment.segment-python-plain', 'segment.segment-go', 'segment.segment-java', 'segment.segment-web-single', 'segment.segment-web-batching'])(
    'never claims what %s sent, and does not read its body for it', (name) => {
      const golden = JSON.parse(readFileSync(join(import.meta.dirname, '../golden', `${name}.json`), 'utf8')) as Golden
      for (const exchange of golden.exchanges.filter(({ method }) => method === 'POST')) {
        const { method, url, headers } = exchange
        const unread = (): never => { throw new Error('the body is read') }
        const wire: Wire = { method, path: url.replace(/\/$/, ''), query: {}, headers, body: bodyOf(exchange), ip: '', requestId: '', json: unread, form: unread, isFormCut: false, data: unread }
        expect([url, rudderstack.recognise(wire)]).toEqual([url, false])
      }
    })

  it('names its visitor in a header, for events that do not', async () => {
    const system = await setUp()
    const { post, basic } = system
    const batch = [
      track({ messageId: 'absent', userId: '' }), track({ messageId: 'null', anonymousId: null }), track({ messageId: 'empty', anonymousId: '' }), track({ messageId: 'own', anonymousId: 'a2' }), 5, {},
    ]
    const answer = await post('/v1/batch', { batch }, { ...basic, ...visitor('访客 1') })
    expect(answer.json()).toMatchObject({ success: true, accepted: 4, rejected: [{ index: 4, code: 'NOT_AN_OBJECT' }, { index: 5, code: 'TYPE_UNKNOWN' }] })
    expect(rejectedOf(system.log).map(({ bytes }) => Buffer.from(bytes, 'base64').toString())).toEqual(['5', '{}'])
    expect(Object.fromEntries(stored(system).map(({ messageId, anonymousId }) => [messageId, anonymousId]))).toEqual({ absent: '访客 1', null: '访客 1', empty: '访客 1', own: 'a2' })
  })

  it('is taken also where that header holds no base64 or no id', async () => {
    const system = await setUp()
    const { post, basic } = system
    for (const anonymousid of ['%%%', '', 'not base64', Buffer.from('a'.repeat(300)).toString('base64')]) {
      expect((await post('/v1/track', track({ messageId: anonymousid.slice(0, 20) }), { ...basic, anonymousid })).statusCode).toBe(200)
    }
    expect(stored(system).map(({ anonymousId }) => anonymousId)).toEqual([null, null, null, null])
  })

  it('is refused as Segment’s are: one event by its place, a body as a whole, an unknown key with 401', async () => {
    const { post, log, basic } = await setUp()
    const batch = await post('/v1/batch', { batch: [track(), track({ event: '', messageId: 'm2' })] })
    expect([batch.statusCode, batch.json().rejected]).toMatchObject([200, [{ index: 1, code: 'EVENT_NAME_MISSING' }]])
    expect((await post('/v1/track', track({ event: '' }), { ...basic, ...visitor('a1') })).json().code).toBe('EVENT_NAME_MISSING')
    expect((await post('/beacon/v1/batch?writeKey=wk', '{"batch":[', {})).json().code).toBe('NOT_JSON')
    expect((await post('/beacon/v1/batch?writeKey=other', { batch: [track()] }, {})).statusCode).toBe(401)
    expect((await post('/beacon/v1/batch', { batch: [track()] }, {})).json().code).toBe('WRITE_KEY_MISSING')
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['EVENT_NAME_MISSING', 'EVENT_NAME_MISSING', 'NOT_JSON'])
  })

  it('is told to come again while nothing can be kept', async () => {
    const { post, log, basic } = await setUp()
    log.failWith(new LogUnavailable('LOG_BUSY', 'busy', 1))
    expect((await post('/v1/track', track(), { ...basic, ...visitor('a1') })).statusCode).toBe(503)
  })

  it('is preceded by a question of the browser, answered for known keys only', async () => {
    const { http, basic } = await setUp()
    const origin = 'https://shop.example'
    const preflight = await http.inject({ method: 'OPTIONS', url: '/sourceConfig/?writeKey=wk', headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' } })
    expect([preflight.statusCode, preflight.headers['access-control-allow-headers']]).toEqual([204, 'authorization'])
    for (const request of [{ url: '/sourceConfig/?p=npm&writeKey=wk' }, { url: '/sourceConfig', headers: { ...basic, origin } }]) {
      expect((await http.inject(request)).json()).toMatchObject({ source: { writeKey: 'wk', enabled: true, destinations: [], config: {} } })
    }
    expect((await http.inject('/sourceConfig/?writeKey=other')).statusCode).toBe(401)
    expect((await http.inject('/sourceConfig/')).json().code).toBe('WRITE_KEY_MISSING')
  })
})
