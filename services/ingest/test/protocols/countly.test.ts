import { isDeepStrictEqual } from 'node:util'
import { gzipSync } from 'node:zlib'
import { type Fields, sourceSettings } from '@millrace/contracts'
import { LogUnavailable } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const event = (more: Fields = {}): Fields => ({ key: 'ViewProduct', count: 1, timestamp: Date.parse('2024-06-01T11:59:00Z'), segmentation: { city: '北京+&' }, ...more })
const request = (more: Record<string, string> = {}): Record<string, string> => ({ app_key: 'wk', device_id: 'd1', t: '1', timestamp: '1717243140000', ...more })
const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString()
const SUCCESS = { statusCode: 200, body: '{"result":"Success"}' }

const start = async () => {
  const system = await setUp()
  const stored = () => acceptedOf(system.log).map(({ line }) => JSON.parse(line.toString()) as Fields)
  return { ...system, stored }
}

describe('the protocol of Countly', () => {
  it('reads a form and a query alike, each part of a request as a line of its own', async () => {
    const { post, http, stored } = await start()
    const parts = request({ events: JSON.stringify([event(), event({ key: 'B' })]), user_details: '{"name":"Ada"}', begin_session: '1', metrics: '{"_os":"iOS"}', old_device_id: 'd0' })
    const common = { device_id: 'd1', t: '1', timestamp: '1717243140000', metrics: { _os: 'iOS' } }
    const lines = [
      { ...common, begin_session: '1' }, { ...common, user_details: { name: 'Ada' } }, { ...common, old_device_id: 'd0' },
      { ...common, event: event(), position: 0 }, { ...common, event: event({ key: 'B' }), position: 1 },
    ]
    for (const answer of [await post('/i', form(parts), {}), await post('/i', gzipSync(form(parts)), {}), await http.inject(`/i?${form(parts)}`)]) expect(answer).toMatchObject(SUCCESS)
    expect(stored()).toHaveLength(15)
    for (const line of lines) expect(stored().filter((one) => isDeepStrictEqual(one, line))).toHaveLength(3)
  })

  it('takes many requests in one', async () => {
    const { post, stored, log } = await start()
    const requests = JSON.stringify([{ ...request(), events: [event()] }, { ...request({ events: JSON.stringify([event({ key: 'B' })]) }), app_key: 'other' }, 5, { device_id: 'd2', session_duration: 9 }])
    expect(await post('/i/bulk', form({ app_key: 'wk', requests }), {})).toMatchObject(SUCCESS)
    expect(await post('/i/bulk', form({ requests: JSON.stringify([request({ end_session: '1' })]) }), {})).toMatchObject(SUCCESS)
    expect(stored()).toHaveLength(3)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['WRITE_KEY_MIXED', 'NOT_AN_OBJECT'])
    expect(await post('/i/bulk', form({ app_key: 'wk', requests: JSON.stringify([{ device_id: 'd3', session_duration: 9 }]) }), {})).toMatchObject(SUCCESS)
    expect(stored()).toHaveLength(4)
  })

  it('does not keep what the SDK tells of its own health', async () => {
    const { post, stored } = await start()
    expect(await post('/i', form(request({ hc: '{"el":0}' })), {})).toMatchObject(SUCCESS)
    expect(stored()).toEqual([])
    expect(await post('/i', form(request({ campaign_id: 'spring' })), {})).toMatchObject(SUCCESS)
    expect(stored()).toHaveLength(1)
  })

  it('keeps what it cannot read and says that it has it: else the SDK’s queue would stand still', async () => {
    const { post, log } = await start()
    for (const fields of [request({ events: '[{' }), request({ events: '{}' }), request({ user_details: 'x' }), { app_key: 'wk', events: JSON.stringify([event()]) }]) {
      expect(await post('/i', form(fields), {})).toMatchObject(SUCCESS)
    }
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['NOT_JSON', 'BATCH_MISSING', 'NOT_JSON', 'IDENTITY_MISSING'])
  })

  it('never lets one bad event harm the others', async () => {
    const { post, stored, log } = await start()
    await post('/i', form(request({ events: JSON.stringify([event(), { count: 1 }, 'x', event({ key: 'B' })]) })), {})
    expect(stored()).toHaveLength(2)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['EVENT_NAME_MISSING', 'NOT_AN_OBJECT'])
  })

  it('refuses an unknown key in Countly’s words, and answers 503 when nothing could be kept', async () => {
    const { post, log } = await start()
    expect(await post('/i', form({ ...request(), app_key: 'nobody' }), {})).toMatchObject({ statusCode: 401, body: '{"result":"App does not exist"}' })
    expect((await post('/i', '', {})).statusCode).toBe(401)
    log.failWith(new LogUnavailable('LOG_BUSY', 'full'))
    expect((await post('/i', form(request({ begin_session: '1' })), {})).statusCode).toBe(503)
  })

  it('lets a server over the limit of its source keep what it sent', async () => {
    const { post, projects, project } = await start()
    const app_key = await projects.addSource(project.id, sourceSettings.parse({ name: 'shop', eventsPerSecondMax: 1, server: true }))
    const sent = form({ ...request({ events: JSON.stringify(Array.from({ length: 100 }, () => event())) }), app_key })
    expect(await post('/i', sent, {})).toMatchObject(SUCCESS)
    expect((await post('/i', sent, {})).statusCode).toBe(429)
  })

  it('answers what the SDK asks, and leaves /i to Snowplow where its events come', async () => {
    const { post, http, log } = await start()
    expect((await post('/o/sdk', form({ ...request(), method: 'sc' }), {})).json()).toEqual({})
    expect((await http.inject('/o/sdk?method=feedback&app_key=wk')).json()).toEqual({ result: [] })
    await http.inject(`/i?${form(request({ e: 'pv', begin_session: '1' }))}`)
    await http.inject('/i?e=pv&aid=wk&p=web&duid=d1')
    expect(new Set(acceptedOf(log).map(({ header }) => header.origins[0]!.protocol))).toEqual(new Set(['countly', 'snowplow']))
  })
})
