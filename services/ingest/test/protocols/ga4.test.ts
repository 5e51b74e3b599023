import { gzipSync } from 'node:zlib'
import { LogUnavailable } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { storedIn } from '../golden.ts'
import { rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const URL = '/mp/collect?measurement_id=wk&api_secret=s'
const body = (more: object = {}) => ({ client_id: '1.2', events: [{ name: 'a' }, { name: 'b', params: { x: 1 } }], ...more })

describe('the Measurement Protocol of GA4', () => {
  it('takes every event of a body, also as gzip and as text, and answers 204 with nothing', async () => {
    const { post, log, project, givenIds } = await setUp()
    for (const payload of [JSON.stringify(body()), gzipSync(JSON.stringify(body()))]) {
      const answer = await post(URL, payload, { 'content-type': 'text/plain' })
      expect([answer.statusCode, answer.body]).toEqual([204, ''])
    }
    const { stored } = storedIn(log, project, givenIds)
    expect(stored.map(({ event, anonymousId, properties }) => [event, anonymousId, properties])).toEqual([['a', '1.2', {}], ['a', '1.2', {}], ['b', '1.2', { x: 1 }], ['b', '1.2', { x: 1 }]])
    expect(stored[0]).toMatchObject({ messageId: '(given)', protocol: 'ga4', context: { library: { name: 'ga4-http' } }, channel: 'server' })
  })

  it('finds its key in the measurement id, the app id or the secret, whichever is known', async () => {
    const { post, log, project, givenIds, http } = await setUp()
    for (const query of ['measurement_id=wk', 'measurement_id=G-1&api_secret=wk', 'firebase_app_id=wk&api_secret=s']) expect((await post(`/mp/collect?${query}`, body(), {})).statusCode).toBe(204)
    for (const query of ['', 'measurement_id=G-1&api_secret=s']) expect((await post(`/mp/collect?${query}`, body(), {})).statusCode).toBe(204)
    expect(storedIn(log, project, givenIds).stored).toHaveLength(6)
    const metrics = (await http.inject('/metrics')).body
    expect(metrics).toContain('requests_unauthorised_total{code="WRITE_KEY_UNKNOWN"} 1')
    expect(metrics).toContain('requests_unauthorised_total{code="WRITE_KEY_MISSING"} 1')
  })

  it('never fails a batch for one bad event, and keeps what cannot be read', async () => {
    const { post, log, project, givenIds } = await setUp()
    expect((await post(URL, body({ events: [{ name: 'a' }, 5, { params: {} }] }), {})).statusCode).toBe(204)
    for (const bad of ['{"events":', '{"client_id":"1","events":{}}', '{"client_id":"1"}', '']) expect((await post(URL, bad, {})).statusCode).toBe(204)
    expect(storedIn(log, project, givenIds)).toMatchObject({ stored: [{ event: 'a' }], rejected: ['BATCH_MISSING', 'BATCH_MISSING', 'EVENT_NAME_MISSING', 'NOT_AN_OBJECT', 'NOT_JSON', 'NOT_JSON'] })
    expect(rejectedOf(log).map(({ bytes }) => Buffer.from(bytes, 'base64').toString())).toContain('{"events":')
  })

  it('never writes the secret, and stores user properties that come without an event', async () => {
    const { post, log, project, givenIds } = await setUp()
    await post('/mp/collect?measurement_id=wk&api_secret=very-secret', { client_id: '1.2', user_id: 'u1', user_properties: { plan: { value: 'pro' } } }, {})
    expect(storedIn(log, project, givenIds).stored).toMatchObject([{ type: 'identify', userId: 'u1', traits: { plan: 'pro' } }])
    expect(JSON.stringify(log.lines('events.accepted').map(({ line }) => line.toString()))).not.toContain('very-secret')
  })

  it('is told to come again when there is no room', async () => {
    const { post, log } = await setUp()
    log.failWith(new LogUnavailable('LOG_FULL', 'full'))
    const answer = await post(URL, body(), {})
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'LOG_FULL'])
  })

  it('says what is wrong with a request, and takes nothing of it', async () => {
    const { post, log } = await setUp()
    const ask = async (payload: unknown, query = 'measurement_id=wk') => {
      const answer = await post(`/debug/mp/collect?${query}`, payload, {})
      expect(answer.statusCode).toBe(200)
      return (answer.json() as { validationMessages: { fieldPath: string; validationCode: string; description: string }[] }).validationMessages
    }
    expect(await ask(body())).toEqual([])
    expect(await ask(body({ events: [{ name: '_bad' }] }))).toEqual([{ fieldPath: 'events', description: expect.stringContaining('[0]'), validationCode: 'NAME_INVALID' }])
    expect((await ask({ events: [{ name: 'a' }] })).map(({ fieldPath, validationCode }) => [fieldPath, validationCode])).toEqual([['client_id', 'VALUE_REQUIRED']])
    const codes = async (payload: unknown, query?: string) => (await ask(payload, query)).map(({ validationCode }) => validationCode)
    expect(await codes(body({ events: [{ name: 'session_start' }] }))).toEqual(['NAME_RESERVED'])
    expect(await codes(body({ events: [{ name: 'a', timestamp_micros: 'yesterday' }] }))).toEqual(['VALUE_INVALID'])
    expect(await codes(body({ events: [{ name: 'a', timestamp_micros: 900000000000000 }] }))).toEqual(['VALUE_OUT_OF_BOUNDS'])
    expect(await codes(body({ events: Array.from({ length: 26 }, () => ({ name: 'a' })) }))).toEqual(['EXCEEDED_MAX_ENTITIES'])
    expect(await codes(body({ events: [{ name: 'a', params: Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`p${n}`, n])) }] }))).toEqual(['EXCEEDED_MAX_ENTITIES'])
    expect(await codes(body({ user_id: { a: 1 }, events: [5] }))).toEqual(['VALUE_INVALID'])
    expect(await codes({ client_id: '1' })).toEqual(['VALUE_REQUIRED'])
    expect(await codes('{', 'measurement_id=other')).toEqual(['VALUE_INVALID', 'VALUE_INVALID'])
    expect(await codes('[]', '')).toEqual(['VALUE_REQUIRED', 'VALUE_INVALID'])
    expect(log.appends()).toBe(0)
  })
})
