import { gzipSync } from 'node:zlib'
import { decodeEvent, isRefusal, sourceSettings } from '@millrace/contracts'
import { LogUnavailable } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const seen = (more: object = {}) => ({ event_type: 'Seen', user_id: 'user1', insert_id: 'm1', ...more })
const body = (...events: unknown[]) => ({ api_key: 'wk', events })

describe('the Amplitude protocol', () => {
  it('takes events on its paths in its words, and keeps their bytes', async () => {
    const { post, log, time } = await setUp()
    const event = '{"event_type":"Seen" ,"user_id":"user1","insert_id":"m1","big":12345678901234567890}'
    const text = `{"api_key":"wk","events":[ ${event} ,${event}],"options":{},"client_upload_time":"2024-06-01T12:00:00Z"}`
    for (const path of ['/2/httpapi', '/2/httpapi/', '/batch', '/batch/']) {
      const answer = await post(path, text, { 'content-type': 'application/json' })
      expect([answer.statusCode, answer.json()]).toEqual([200, { code: 200, events_ingested: 2, payload_size_bytes: text.length, server_upload_time: time.at }])
    }
    expect(acceptedOf(log).map(({ line }) => line.toString())).toEqual(Array.from({ length: 8 }, () => event))
    expect(acceptedOf(log)[0]!.header.origins[0]).toMatchObject({ protocol: 'amplitude', sentAt: Date.parse('2024-06-01T12:00:00Z') })
    expect((await post('/2/httpapi', gzipSync(text), {})).json()).toMatchObject({ events_ingested: 2 })
  })

  it('takes the form of its first API', async () => {
    const { post, log } = await setUp()
    const answers = [
      await post('/httpapi', `api_key=wk&event=${encodeURIComponent(JSON.stringify(seen()))}`, {}), await post('/httpapi', `api_key=wk&event=${encodeURIComponent(JSON.stringify([seen(), seen()]))}`, {}),
      await post('/httpapi', body(seen()), {}),
    ]
    expect(answers.map((answer) => answer.json().events_ingested)).toEqual([1, 2, 1])
    expect(acceptedOf(log)).toHaveLength(4)
  })

  it('corrects the clock of a sender that tells when it sent', async () => {
    const { post, log, project } = await setUp()
    await post('/2/httpapi', { ...body(seen({ time: Date.parse('2024-06-01T09:00:00Z') })), client_upload_time: '2024-06-01T10:00:00.000Z' }, {})
    const [{ line, header }] = acceptedOf(log) as [ReturnType<typeof acceptedOf>[number]]
    const event = decodeEvent(header.origins[0]!, project, JSON.parse(line.toString()))
    expect(!isRefusal(event) && event.timestamp).toBe(Date.parse('2024-06-01T11:00:00Z'))
  })

  it('never fails a batch for one bad event', async () => {
    const { post, log } = await setUp()
    const answer = await post('/2/httpapi', body(seen(), { event_type: 'Seen' }, 5, seen({ event_type: '' })), {})
    expect([answer.statusCode, answer.json().events_ingested]).toEqual([200, 1])
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['IDENTITY_MISSING', 'NOT_AN_OBJECT', 'EVENT_NAME_MISSING'])
  })

  it('says no in words by which its SDKs stop, and comes again where they should', async () => {
    const { post, log } = await setUp({ BATCH_EVENTS_MAX: 2 })
    const told = async (payload: unknown) => {
      const answer = await post('/2/httpapi', payload, {})
      return [answer.statusCode, answer.json()]
    }
    expect(await told({ ...body(seen()), api_key: 'other' })).toMatchObject([401, { code: 401, error: expect.stringMatching(/^Invalid API key/) }])
    expect(await told({ events: [seen()] })).toMatchObject([401, { code: 401, error: expect.stringMatching(/^Invalid API key/) }])
    expect(await told('{"events":[')).toMatchObject([400, { code: 400, missing_field: 'NOT_JSON' }])
    expect(await told({ api_key: 'wk' })).toMatchObject([400, { code: 400, missing_field: 'events' }])
    expect(await told(body(seen(), seen(), seen()))).toMatchObject([413, { code: 413 }])
    log.failWith(new LogUnavailable('LOG_BUSY', 'busy', 7))
    expect(await told(body(seen()))).toMatchObject([503, { code: 503 }])
    log.failWith(null)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['BATCH_MISSING', 'BATCH_TOO_LONG'])
  })

  it('tells a server over its limit which events are to wait, since its SDKs give up the others at once, and a page of another site to stop', async () => {
    const { post, projects, project } = await setUp()
    const send = async (settings: object, url: string, events: number, headers: Record<string, string> = {}) => {
      const api_key = await projects.addSource(project.id, sourceSettings.parse(settings))
      const sent = { api_key, events: Array.from({ length: events }, () => seen()) }
      await post(url, { ...sent, events: Array.from({ length: 100 }, () => seen()) }, headers)
      const answer = await post(url, url === '/httpapi' ? new URLSearchParams({ api_key, event: JSON.stringify(seen()) }).toString() : sent, headers)
      return [answer.statusCode, answer.json()]
    }
    expect(await send({ name: 'shop', eventsPerSecondMax: 1, server: true }, '/batch', 3)).toMatchObject([429, { code: 429, error: expect.stringMatching(/^SOURCE_LIMIT/), throttled_events: [0, 1, 2] }])
    expect(await send({ name: 'form', eventsPerSecondMax: 1, server: true }, '/httpapi', 1)).toMatchObject([429, { throttled_events: [] }])
    expect(await send({ name: 'web', allowedOrigins: ['https://shop.example'] }, '/2/httpapi', 1, { origin: 'https://evil.example' })).toMatchObject([403, { code: 403, missing_field: 'ORIGIN_NOT_ALLOWED' }])
  })
})
