import { gzipSync } from 'node:zlib'
import { decodeEvent, isRefusal, sourceSettings } from '@millrace/contracts'
import { LogUnavailable } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const seen = (more: object = {}) => ({ event: 'Seen', distinct_id: 'u1', uuid: 'm1', properties: {}, ...more })
const body = (...batch: object[]) => ({ api_key: 'wk', batch, sent_at: '2024-06-01T12:00:00Z' })
const decoded = ({ log, project }: Awaited<ReturnType<typeof setUp>>) =>
  acceptedOf(log).map(({ line, header }) => {
    const event = decodeEvent(header.origins[0]!, project, JSON.parse(line.toString()))
    if (isRefusal(event)) throw new Error(event.code)
    return event
  })

describe('the PostHog protocol', () => {
  it('takes a batch on every path, with and without a slash at the end, and keeps the bytes of its events', async () => {
    const { post, log } = await setUp()
    const paths = ['/batch', '/i/v0/ai/batch', '/e', '/i/v0/e', '/capture']
    const event = '{"event":"Seen" ,"distinct_id":"u1","uuid":"m1","big":12345678901234567890}'
    for (const path of paths) for (const slash of ['', '/']) {
      const answer = await post(path + slash, `{"api_key":"wk","batch":[${event}]}`, {})
      expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'Ok' }])
    }
    expect(acceptedOf(log).map(({ line }) => line.toString())).toEqual(Array.from({ length: 10 }, () => event))
    expect(new Set(acceptedOf(log).map(({ header }) => header.origins[0]!.source))).toEqual(new Set(['default']))
  })

  it('reads gzip without a header, base64 in a form, plain JSON in a form, and the query of older SDKs', async () => {
    const system = await setUp()
    const { post, http, log } = system
    const text = JSON.stringify(body(seen({ properties: { text: '???>>>~~~ü' } })))
    const base64 = Buffer.from(text).toString('base64')
    const origin = { origin: 'https://shop.example' }
    const answers = [
      await post('/e/', gzipSync(text), { ...origin, 'content-type': 'text/plain' }),
      await post('/e/?compression=base64', `data=${encodeURIComponent(base64)}`, { ...origin, 'content-type': 'application/x-www-form-urlencoded' }),
      // Not escaped: the form turns + into a space.
      await post('/e/?compression=base64', `data=${base64}`, origin),
      await post('/e/', `data=${encodeURIComponent(text)}`, origin),
      await post('/e/', Buffer.from(text).toString('base64url'), origin),
      await http.inject({ url: `/e/?ip=1&_=1717243200000&data=${encodeURIComponent(base64)}`, headers: origin }),
    ]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array.from(answers, () => 200))
    expect(decoded(system).map(({ properties }) => properties['text'])).toEqual(Array.from(answers, () => '???>>>~~~ü'))
    expect(acceptedOf(log)).toHaveLength(answers.length)
  })

  it('takes one event, and a list in which each names its key', async () => {
    const { post, log } = await setUp()
    const listed = (token: string, uuid: string) => seen({ uuid, properties: { token } })
    expect((await post('/capture/', { ...seen(), api_key: 'wk' }, {})).statusCode).toBe(200)
    expect((await post('/e/', seen({ properties: { token: 'wk' } }), {})).statusCode).toBe(200)
    expect((await post('/e/', [listed('wk', 'a'), listed('other', 'b'), listed('wk', 'c')], {})).statusCode).toBe(200)
    expect(acceptedOf(log)).toHaveLength(4)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['WRITE_KEY_MIXED'])
  })

  it('never fails a batch for one bad event; a bad event alone is told in PostHog’s shape', async () => {
    const { post, log } = await setUp()
    expect((await post('/batch/', body(seen(), seen({ distinct_id: null }), seen({ event: '' })), {})).json()).toEqual({ status: 'Ok' })
    expect(rejectedOf(log).map(({ code }) => code).sort()).toEqual(['EVENT_NAME_MISSING', 'IDENTITY_MISSING'])
    const alone = await post('/capture/', { event: 'Seen', api_key: 'wk' }, {})
    expect([alone.statusCode, alone.json()]).toMatchObject([400, { type: 'validation_error', code: 'IDENTITY_MISSING', attr: null }])
  })

  it('says no in PostHog’s shape: unknown and missing keys, garbage, a log that takes nothing', async () => {
    const { post, log } = await setUp()
    const told = async (payload: unknown) => {
      const answer = await post('/batch/', payload, {})
      return [answer.statusCode, answer.json().type, answer.json().code]
    }
    expect(await told({ ...body(seen()), api_key: 'other' })).toEqual([401, 'authentication_error', 'WRITE_KEY_UNKNOWN'])
    expect(await told({ batch: [seen()] })).toEqual([401, 'authentication_error', 'WRITE_KEY_MISSING'])
    expect(await told('{"batch":[')).toEqual([400, 'validation_error', 'NOT_JSON'])
    expect(await told({ api_key: 'wk' })).toEqual([400, 'validation_error', 'BATCH_MISSING'])
    log.failWith(new LogUnavailable('LOG_BUSY', 'busy', 7))
    expect(await told(body(seen()))).toEqual([503, 'server_error', 'LOG_BUSY'])
    log.failWith(null)
    expect(acceptedOf(log)).toEqual([])
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['BATCH_MISSING'])
  })

  it('tells a server over the limit of its source to come again', async () => {
    const { post, projects, project } = await setUp()
    const api_key = await projects.addSource(project.id, sourceSettings.parse({ name: 'shop', eventsPerSecondMax: 1, server: true }))
    const send = () => post('/batch/', { ...body(...Array.from({ length: 100 }, () => seen())), api_key }, {})
    await send()
    const answer = await send()
    expect([answer.statusCode, answer.json(), answer.headers['retry-after']]).toMatchObject([429, { type: 'throttled_error', code: 'SOURCE_LIMIT' }, '100'])
  })

  it('bounds the events of a batch', async () => {
    const { post } = await setUp({ BATCH_EVENTS_MAX: 1 })
    expect((await post('/batch/', body(seen(), seen()), {})).json()).toMatchObject({ code: 'BATCH_TOO_LONG' })
  })

  it('corrects the clock of a sender, and gives an old client’s event its time', async () => {
    const system = await setUp()
    await system.post('/batch/', { ...body(seen({ timestamp: '2024-06-01T09:00:00Z' })), sent_at: '2024-06-01T10:00:00Z' }, {})
    const hourAgo = Date.parse('2024-06-01T11:00:00Z')
    await system.post(`/e/?_=${hourAgo}`, [seen({ offset: 60_000, properties: { token: 'wk' } })], {})
    await system.post(`/e/?_=${hourAgo}`, [seen({ timestamp: '2024-06-01T09:30:00Z', properties: { token: 'wk' } })], {})
    await system.post(`/e/?_=${hourAgo}`, [seen({ offset: 60_000, timestamp: '2024-06-01T08:00:00Z', properties: { token: 'wk' } })], {})
    // No time at all.
    await system.post(`/e/?_=${hourAgo}`, [seen({ offset: -1e300, properties: { token: 'wk' } })], {})
    expect(decoded(system).map(({ timestamp }) => new Date(timestamp).toISOString())).toEqual([
      '2024-06-01T11:00:00.000Z', '2024-06-01T11:59:00.000Z', '2024-06-01T10:30:00.000Z', '2024-06-01T08:00:00.000Z', '2024-06-01T12:00:00.000Z',
    ])
  })

  it('judges the clocks of two devices behind one address apart', async () => {
    const system = await setUp()
    const headers = { origin: 'https://shop.example', 'user-agent': 'Mozilla/5.0' }
    const send = (device: string, sentAt: number) => {
      const timestamp = new Date(sentAt).toISOString()
      const event = { event: 'Seen', uuid: device, properties: { token: 'wk', distinct_id: device, $device_id: device, $is_identified: false }, timestamp }
      return system.post('/e/', { api_key: 'wk', batch: [event], sent_at: timestamp }, headers)
    }
    await send('right', system.time.at)
    await send('an hour behind', system.time.at - 3_600_000)
    expect(decoded(system).map(({ timestamp }) => timestamp)).toEqual([system.time.at, system.time.at])
  })

  it('gives visitors on whose devices nothing is kept an id of the day', async () => {
    const system = await setUp()
    const cookieless = seen({ distinct_id: '$posthog_cookieless', properties: { $host: 'shop.example' } })
    await system.post('/e/', body(cookieless, { ...cookieless, uuid: 'm2' }), { 'user-agent': 'Mozilla/5.0' })
    await system.post('/e/', body({ ...cookieless, uuid: 'm3' }), { 'user-agent': 'Mozilla/6.0' })
    const ids = decoded(system).map(({ anonymousId, userId }) => [userId, anonymousId?.slice(0, 2)])
    expect(ids).toEqual(Array.from({ length: 3 }, () => [null, 'v-']))
    expect(new Set(decoded(system).map(({ anonymousId }) => anonymousId)).size).toBe(2)
    // Of another page of ours; the id may stand among the properties.
    await system.post('/e/', body({ event: 'Seen', uuid: 'm5', properties: { distinct_id: '$posthog_cookieless', $host: 'blog.example' } }), { 'user-agent': 'Mozilla/5.0' })
    expect(new Set(decoded(system).map(({ anonymousId }) => anonymousId)).size).toBe(3)
    // A server tells nothing of its visitor.
    await system.post('/e/', body({ ...cookieless, uuid: 'm4' }), {})
    expect(decoded(system).filter(({ messageId, anonymousId }) => messageId === 'm4' && anonymousId === null)).toHaveLength(1)
  })

  it('answers version 1 for each event, with the SDK and the time of sending from its headers', async () => {
    const system = await setUp()
    const headers = { authorization: 'Bearer wk', 'posthog-sdk-info': 'posthog-python/7.91.1', 'posthog-request-timestamp': '2024-06-01T10:00:00Z' }
    const answer = await system.post('/i/v1/analytics/events', { batch: [seen({ timestamp: '2024-06-01T09:00:00Z' }), seen({ uuid: 'm2', distinct_id: '' }), { event: 'Seen' }], api_key: 'other' }, headers)
    const drop = { result: 'drop', details: 'IDENTITY_MISSING' }
    expect([answer.statusCode, answer.json()]).toEqual([200, { results: { m1: { result: 'ok' }, m2: drop, '#2': drop } }])
    expect(decoded(system)).toMatchObject([{ context: { library: { name: 'posthog-python', version: '7.91.1' } }, timestamp: Date.parse('2024-06-01T11:00:00Z') }])
    const unknown = await system.post('/i/v1/analytics/events', { batch: [seen()] }, { ...headers, authorization: 'Bearer other' })
    expect([unknown.statusCode, unknown.json()]).toMatchObject([401, { error: 'WRITE_KEY_UNKNOWN' }])
  })

  it('answers what the browser SDK asks before it sends, to known keys', async () => {
    const { http, post } = await setUp()
    const origin = { origin: 'https://shop.example' }
    const config = await http.inject({ url: '/array/wk/config', headers: origin })
    expect([config.statusCode, config.headers['access-control-allow-origin'], config.json()]).toMatchObject([200, 'https://shop.example', { supportedCompression: ['gzip', 'gzip-js'] }])
    const script = await http.inject('/array/wk/config.js')
    expect([script.statusCode, script.headers['content-type']]).toEqual([200, 'application/javascript'])
    const window = {} as { _POSTHOG_REMOTE_CONFIG?: Record<string, { config: object }> }
    new Function('window', script.body)(window)
    expect(window._POSTHOG_REMOTE_CONFIG?.['wk']?.config).toEqual(config.json())
    for (const path of ['/flags/?v=2', '/decide/?v=3']) {
      expect((await post(path, { token: 'wk', distinct_id: 'u1' }, origin)).json()).toMatchObject({ flags: {}, featureFlags: {} })
      expect((await post(path, gzipSync('{"token":"wk"}'), origin)).statusCode).toBe(200)
      expect((await post(path, { token: 'other' }, origin)).statusCode).toBe(401)
    }
    expect((await http.inject('/array/other/config')).statusCode).toBe(401)
    expect((await http.inject('/static/1.449.2/surveys.js')).statusCode).toBe(404)
  })

  it('leaves to Amplitude what holds events', async () => {
    const { post, log } = await setUp()
    await post('/batch', { api_key: 'wk', events: [{ event_type: 'Seen', user_id: 'user1' }] }, {})
    await post('/batch', body(seen()), {})
    expect(acceptedOf(log).map(({ header }) => header.origins[0]!.protocol)).toEqual(['amplitude', 'posthog'])
  })
})
