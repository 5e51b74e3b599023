import { deflateSync, gzipSync } from 'node:zlib'
import { decodeEvent, homeOf, isRefusal, originAt, requestAt, shardOf, topics } from '@millrace/contracts'
import { LogUnavailable } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { protocols } from '../src/protocols/index.ts'
import { acceptedOf, rejectedOf } from './memory-log.ts'
import { setUp } from './set-up.ts'

const track = (more: object = {}) => ({ type: 'track', event: 'Seen', userId: 'u1', messageId: 'm1', ...more })

describe('the Segment protocol', () => {
  it('takes an event on every path, with and without a slash at the end', async () => {
    const { post, log } = await setUp()
    const single = { event: 'Seen', userId: 'u1', previousId: 'a1', groupId: 'g1' }
    const names = ['track', 't', 'page', 'p', 'screen', 's', 'identify', 'i', 'group', 'g', 'alias', 'a']
    for (const name of names) for (const slash of ['', '/']) expect((await post(`/v1/${name}${slash}`, single)).statusCode).toBe(200)
    for (const name of ['batch', 'import', 'b']) for (const slash of ['', '/']) expect((await post(`/v1/${name}${slash}`, { batch: [track()] })).statusCode).toBe(200)
    expect((await post('/v1/m', { series: [] })).statusCode).toBe(200)
    const types = acceptedOf(log).map(({ line }) => (JSON.parse(line.toString()) as { type: string }).type)
    expect(types).toHaveLength(30)
    expect(new Set(types)).toEqual(new Set(['track', 'page', 'screen', 'identify', 'group', 'alias']))
  })

  it('keeps the bytes of each event as they were sent', async () => {
    const { post, log } = await setUp()
    const first = '{"type":"track" ,\n "event":"A","userId":"u1","messageId":"m1","properties":{"big":12345678901234567890,"a":1,"a":2}}'
    const second = '{"userId":"u2","type":"page","messageId":"m2","name":"caf\\u00e9 中文"}'
    const answer = await post('/v1/batch', `{"sentAt":"2024-06-01T12:00:00Z","batch":[ ${first} , ${second} ],"writeKey":"wk"}`, {})
    expect(answer.json()).toEqual({ success: true, accepted: 2, rejected: [] })
    expect(acceptedOf(log).map(({ line }) => line.toString()).sort()).toEqual([first.replace('\n', ' '), second].sort())
  })

  it('files each event in the home partition of its key, with the origin of its request', async () => {
    const { post, log, project } = await setUp()
    const batch = Array.from({ length: 40 }, (_, n) => track({ userId: `u${n}`, messageId: `m${n}` }))
    await post('/v1/batch', { batch, sentAt: '2024-06-01T11:59:59.123456789Z', context: { library: { name: 'analytics-go' } } })
    for (const { line, partition, header } of acceptedOf(log)) {
      const raw = JSON.parse(line.toString()) as { userId: string }
      expect(partition).toBe(homeOf(shardOf(project.id, `user_id:${raw.userId}`), topics.accepted.partitions))
      const event = decodeEvent(header.origins[0]!, project, raw)
      expect(!isRefusal(event) && event.context).toEqual({ library: { name: 'analytics-go' } })
      expect(header.origins[0]).toMatchObject({ source: 'default', protocol: 'segment', sentAt: Date.parse('2024-06-01T11:59:59.123Z') })
    }
    expect(log.appends()).toBe(1)
    expect(log.headers(topics.accepted.name).reduce((sum, { count }) => sum + count, 0)).toBe(40)
  })

  it('never fails a batch for one bad event, and keeps that one with its code and bytes', async () => {
    const { post, log } = await setUp({ EVENT_BYTES_MAX: 1000 })
    const bad = [
      [{ type: 'nonsense', userId: 'u1' }, 'TYPE_UNKNOWN'], [{ type: 'track', userId: 'u1' }, 'EVENT_NAME_MISSING'],
      [{ type: 'track', event: 'A' }, 'IDENTITY_MISSING'], [track({ timestamp: 'yesterday' }), 'TIMESTAMP_INVALID'],
      [track({ timestamp: '1999-12-31T23:59:59Z' }), 'TOO_OLD'], [track({ timestamp: '2024-06-01T13:00:01Z' }), 'TOO_NEW'],
      [track({ properties: { text: 'x'.repeat(1000) } }), 'EVENT_TOO_LARGE'], [5, 'NOT_AN_OBJECT'], [null, 'NOT_AN_OBJECT'],
      [{ type: 'alias', userId: 'u1' }, 'PREVIOUS_ID_MISSING'], [{ type: 'group', userId: 'u1' }, 'GROUP_ID_MISSING'],
      [track({ userId: 'u'.repeat(300) }), 'ID_TOO_LONG'], [track({ userId: { id: 1 } }), 'ID_INVALID'],
      [track({ properties: JSON.parse('[' .repeat(80) + ']'.repeat(80)) as unknown }), 'EVENT_TOO_DEEP'],
      [track({ event: 'e'.repeat(300) }), 'EVENT_NAME_TOO_LONG'],
    ] as const
    const answer = await post('/v1/batch', { batch: [track(), ...bad.map(([event]) => event), track({ messageId: 'm2' })] })
    expect(answer.statusCode).toBe(200)
    expect(answer.json().accepted).toBe(2)
    expect(answer.json().rejected.map(({ index, code }: { index: number; code: string }) => [index, code])).toEqual(bad.map(([, code], index) => [index + 1, code]))
    expect(rejectedOf(log).map(({ code, bytes }) => [Buffer.from(bytes, 'base64').toString(), code])).toEqual(bad.map(([event, code]) => [JSON.stringify(event), code]))
    expect(log.headers(topics.rejected.name).map(({ count }) => count)).toEqual([bad.length])
  })

  it('bounds the depth of an event also where the batch is named with an escape and is written anew', async () => {
    const { post } = await setUp()
    const deep = `${'['.repeat(80)}${']'.repeat(80)}`
    const answer = await post('/v1/batch', `{"\\u0062atch":[${JSON.stringify(track())},${JSON.stringify(track()).slice(0, -1)},"properties":${deep}}]}`)
    expect(answer.json()).toMatchObject({ accepted: 1, rejected: [{ index: 1, code: 'EVENT_TOO_DEEP' }] })
  })

  it('refuses an event that is not UTF-8 and takes its neighbours', async () => {
    const { post, log } = await setUp()
    const [open, close] = JSON.stringify({ batch: [track(), track({ event: '?!', messageId: 'm2' })] }).split('?!')
    const answer = await post('/v1/batch', Buffer.concat([Buffer.from(open!), Buffer.from([0xff, 0xfe]), Buffer.from(close!)]))
    expect(answer.json()).toMatchObject({ accepted: 1, rejected: [{ index: 1, code: 'INVALID_UTF8' }] })
    expect(Buffer.from(rejectedOf(log)[0]!.bytes, 'base64').includes(0xff)).toBe(true)
  })

  it('answers a single bad event with its code, and keeps it', async () => {
    const { post, log } = await setUp()
    const answer = await post('/v1/track', { userId: 'u1' })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'EVENT_NAME_MISSING'])
    expect(rejectedOf(log)).toHaveLength(1)
  })

  it('keeps a body that nobody can read when its sender is known', async () => {
    const { post, log } = await setUp()
    expect((await post('/v1/batch', '{"batch":[')).json().code).toBe('NOT_JSON')
    expect((await post('/v1/batch', '{"events":[]}')).json().code).toBe('BATCH_MISSING')
    expect((await post('/v1/batch', '')).json().code).toBe('NOT_JSON')
    expect((await post('/v1/batch', '{"batch":[', {})).statusCode).toBe(400)
    expect(rejectedOf(log).map(({ code, bytes }) => [code, Buffer.from(bytes, 'base64').toString()])).toEqual(
      [['NOT_JSON', '{"batch":['], ['BATCH_MISSING', '{"events":[]}'], ['NOT_JSON', '']])
  })

  it('reads gzip and deflate by their bytes, and JSON under any content type', async () => {
    const { post, log, basic } = await setUp()
    const body = JSON.stringify({ batch: [track()] })
    for (const headers of [
      { ...basic, 'content-encoding': 'gzip', 'content-type': 'application/x-www-form-urlencoded' }, { ...basic, 'content-type': 'text/plain' },
      { ...basic }, { ...basic, 'content-type': 'no type at all', 'content-encoding': 'gzip' },
    ]) for (const payload of [gzipSync(body), deflateSync(body), deflateSync(body, { level: 0 }), Buffer.from(body)]) {
      const answer = await post('/v1/batch', payload, headers)
      expect(answer.json()).toMatchObject({ accepted: 1 })
    }
    expect(acceptedOf(log)).toHaveLength(16)
  })

  it('does not unpack a bomb', async () => {
    const { post } = await setUp({ INFLATED_BYTES_MAX: 4 << 20 })
    expect((await post('/v1/batch', gzipSync(Buffer.alloc(8 << 20, 0x20)))).json().code).toBe('BODY_TOO_LARGE')
    expect((await post('/v1/batch', gzipSync(Buffer.alloc(2 << 20, 0x20)))).json().code).toBe('BODY_TOO_LARGE')
    expect((await post('/v1/batch', deflateSync(Buffer.alloc(8 << 20, 0x20)))).json().code).toBe('BODY_TOO_LARGE')
    for (const packed of [gzipSync('{}'), deflateSync('{}')]) expect((await post('/v1/batch', packed.subarray(0, packed.length - 6))).json().code).toBe('BODY_UNREADABLE')
    expect((await post('/v1/batch', Buffer.alloc(6 << 20, 0x20))).json().code).toBe('BODY_TOO_LARGE')
  })

  it('keeps a body that cannot be unpacked, or was not read, where its key stands beside it, and counts it apart where none does', async () => {
    const { post, log, http } = await setUp()
    const broken = gzipSync('{"batch":[]}').subarray(0, 20)
    expect((await post('/v1/batch', broken)).statusCode).toBe(400)
    expect((await post('/batch?strict=1', broken, {})).statusCode).toBe(400)
    expect((await post('/import', broken)).statusCode).toBe(400)
    expect((await post('/v1/batch', Buffer.alloc(6 << 20, 0x20))).statusCode).toBe(413)
    expect((await post('/v1/batch', Buffer.alloc(6 << 20, 0x20), {})).statusCode).toBe(413)
    expect(rejectedOf(log).map(({ code, bytes }) => [code, Buffer.from(bytes, 'base64')])).toEqual(
      [['BODY_UNREADABLE', broken], ['BODY_UNREADABLE', broken], ['BODY_TOO_LARGE', Buffer.alloc(0)]])
    expect(log.headers(topics.rejected.name).map(({ origins }) => origins[0]!.protocol)).toEqual(['segment', 'mixpanel', 'segment'])
    const unauthorised = (await http.inject('/metrics')).body.split('\n').filter((line) => line.startsWith('millrace_ingest_requests_unauthorised_total{'))
    expect(unauthorised.map((line) => line.split('_total')[1])).toEqual(['{code="BODY_UNREADABLE"} 1', '{code="BODY_TOO_LARGE"} 1'])
  })

  it('finds the key in Basic, the query or the body, and refuses others apart from any project', async () => {
    const { post, log, http } = await setUp()
    expect((await post('/v1/track', track())).statusCode).toBe(200)
    expect((await post('/v1/track?writeKey=wk', track(), {})).statusCode).toBe(200)
    expect((await post('/v1/track', { ...track(), writeKey: 'wk' }, {})).statusCode).toBe(200)
    const missing = await post('/v1/track', track(), {})
    expect([missing.statusCode, missing.json().code]).toEqual([401, 'WRITE_KEY_MISSING'])
    expect((await post('/v1/track', { ...track(), writeKey: 'other' }, {})).json().code).toBe('WRITE_KEY_UNKNOWN')
    expect([acceptedOf(log).length, rejectedOf(log).length]).toEqual([3, 0])
    expect((await http.inject('/metrics')).body).toContain('millrace_ingest_requests_unauthorised_total{code="WRITE_KEY_UNKNOWN"} 1')
  })

  it('gives an event without a message id one of its own', async () => {
    const { post, log } = await setUp()
    const event = '{"type":"track","event":"A","userId":"u1","messageId":""}'
    await post('/v1/batch', `{"batch":[${event},${event}]}`)
    const given = acceptedOf(log).map(({ line }) => (JSON.parse(line.toString()) as { messageId: string }).messageId)
    expect(new Set(given).size).toBe(2)
    expect(given.every((id) => id.length === 36)).toBe(true)
  })

  it('lets any page write, also before it knows the key', async () => {
    const { http, post, basic } = await setUp()
    const origin = 'https://shop.example'
    const preflight = await http.inject({ method: 'OPTIONS', url: '/v1/t', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,x-retry-count' } })
    expect(preflight.statusCode).toBe(204)
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin, 'access-control-allow-headers': 'authorization,x-retry-count', 'access-control-expose-headers': 'Retry-After',
    })
    const sent = await post('/v1/t', track(), { ...basic, origin, host: 'collect.example', 'content-type': 'text/plain' })
    expect([sent.statusCode, sent.headers['access-control-allow-origin']]).toEqual([200, origin])
    expect((await post('/v1/t', track(), { origin })).headers['access-control-allow-origin']).toBe(origin)
    expect((await http.inject({ method: 'POST', url: '/api/identity/commands', headers: { origin } })).headers['access-control-allow-origin']).toBeUndefined()
  })

  it('tells the browser SDK where to send', async () => {
    const { http } = await setUp()
    const answer = await http.inject({ url: '/v1/projects/wk/settings', headers: { host: '127.0.0.1:8080', origin: 'https://shop.example' } })
    expect(answer.json().integrations['Segment.io']).toMatchObject({ apiKey: 'wk', apiHost: '127.0.0.1:8080/v1', protocol: 'http' })
    expect((await http.inject('/v1/projects/other/settings')).statusCode).toBe(401)
  })
})

describe('under pressure', () => {
  it('says so before it loses anything, and takes the same request later', async () => {
    const { post, log } = await setUp()
    log.failWith(new LogUnavailable('LOG_FULL', 'disk full', 7))
    const answer = await post('/v1/batch', { batch: [track()] })
    expect([answer.statusCode, answer.json().code, answer.headers['retry-after']]).toEqual([503, 'LOG_FULL', '7'])
    expect(acceptedOf(log)).toHaveLength(0)
    log.failWith(null)
    expect((await post('/v1/batch', { batch: [track()] })).statusCode).toBe(200)
    expect(acceptedOf(log)).toHaveLength(1)
  })

  it('bounds what waits for the log, and the requests that are open', async () => {
    const full = await setUp({ QUEUED_BYTES_MAX: 3000 })
    full.log.takes(50)
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => full.post('/v1/track', track({ messageId: `m${n}`, properties: { text: 'x'.repeat(500) } }))))
    const taken = answers.filter(({ statusCode }) => statusCode === 200).length
    expect(taken).toBeLessThan(20)
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200, 503]))
    expect(acceptedOf(full.log)).toHaveLength(taken)

    const busy = await setUp({ OPEN_REQUESTS_MAX: 5 })
    busy.log.takes(50)
    const statuses = (await Promise.all(Array.from({ length: 9 }, () => busy.post('/v1/track', track())))).map(({ statusCode }) => statusCode)
    expect(statuses.filter((status) => status === 429)).toHaveLength(4)
    expect((await busy.http.inject('/metrics')).body).toContain('requests_turned_away_total{code="TOO_MANY_REQUESTS"} 4')
    expect((await busy.post('/v1/track', track())).statusCode).toBe(200)
  })

  it('tells whoever has no room to come again, whatever its protocol', async () => {
    const { http } = await setUp({ OPEN_REQUESTS_MAX: 0 })
    for (const { name, paths, extras = [] } of protocols) {
      for (const { method, url } of [...paths, ...extras]) {
        const { statusCode, headers } = await http.inject({ method, url: url.replace(':key', 'wk'), ...(method === 'POST' && { payload: '{}' }) })
        expect([429, 503], `${name} ${method} ${url}`).toContain(statusCode)
        expect(headers['retry-after']).toBe('1')
      }
    }
  })

  it('writes the events of many requests with one append, in shared records', async () => {
    const { post, log, ingest } = await setUp()
    log.takes(20)
    await Promise.all(Array.from({ length: 50 }, (_, n) => post('/v1/track', track({ userId: `u${n}`, messageId: `m${n}` }))))
    expect(acceptedOf(log)).toHaveLength(50)
    expect(log.appends()).toBeLessThan(5)
    expect(log.headers(topics.accepted.name).length).toBeLessThanOrEqual(4 * log.appends())
    // Each line of a shared record still has a request of its own.
    const requests = log.headers(topics.accepted.name).flatMap((header) => Array.from({ length: header.count }, (_, index) => requestAt(header, index)))
    expect(new Set(requests.filter((id) => id !== '')).size).toBe(50)
    await ingest.stop()
    expect((await post('/v1/track', track())).json().code).toBe('STOPPING')
  })
})

describe('times', () => {
  it('does not take a body that waited for a clock that is behind, once the sender is known', async () => {
    const { post, log, project, time } = await setUp()
    const at = time.at
    const timestampOf = () => {
      const { line, header, index } = acceptedOf(log).at(-1)!
      const event = decodeEvent(originAt(header, index)!, project, JSON.parse(line.toString()))
      return isRefusal(event) ? event : event.timestamp
    }
    const send = (sentAt: number) => post('/v1/batch', { sentAt: new Date(sentAt).toISOString(), batch: [track({ messageId: `m${time.at}`, timestamp: new Date(sentAt - 1000).toISOString() })] })
    await send(at)
    time.at = at + 600_000
    await send(at + 1)
    expect(timestampOf()).toBe(at - 999)
    // Unknown senders are believed.
    await post('/v1/batch', { sentAt: new Date(at).toISOString(), batch: [track({ messageId: 'other', timestamp: new Date(at).toISOString() })] }, { authorization: `Basic ${Buffer.from('wk:').toString('base64')}`, 'user-agent': 'other/1' })
    expect(timestampOf()).toBe(at + 600_000)
  })

  it('stamps requests of the same moment alike, so that their lines share an origin', async () => {
    const { post, log } = await setUp()
    await Promise.all(Array.from({ length: 20 }, (_, n) => post('/v1/track', { event: 'Seen', userId: `u${n}`, messageId: `m${n}` })))
    expect(acceptedOf(log)).toHaveLength(20)
    expect(log.headers(topics.accepted.name).every(({ origins, requests, count }) => origins.length === 1 && requests!.length === count)).toBe(true)
  })
})
