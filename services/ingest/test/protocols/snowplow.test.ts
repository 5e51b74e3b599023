import { gzipSync } from 'node:zlib'
import type { Fields } from '@millrace/contracts'
import { LogUnavailable } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { storedIn } from '../golden.ts'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const PATH = '/com.snowplowanalytics.snowplow/tp2'
const view = (more: Fields = {}): Fields => ({ e: 'pv', aid: 'wk', p: 'web', tv: 'js-4.5.0', eid: 'e1', duid: 'd1', url: 'https://shop/', ...more })
const body = (...data: unknown[]): string => JSON.stringify({ schema: 'iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4', data })

describe('the protocol of Snowplow', () => {
  it('keeps each event of a list by its own bytes', async () => {
    const { post, log } = await setUp()
    const bytes = '{"e":"pv" ,"aid":"wk","eid":"e1","duid":"d1","page":"caf\\u00e9"}'
    for (const payload of [`{"schema":"s","data":[${bytes}]}`, gzipSync(`{"data":[${bytes}]}`)]) expect(await post(PATH, payload, {})).toMatchObject({ statusCode: 200, body: 'ok' })
    expect(acceptedOf(log).map(({ line }) => line.toString())).toEqual([bytes, bytes])
  })

  it('takes one event from the query of a picture', async () => {
    const { http, log } = await setUp()
    const answer = await http.inject({ url: `/i?${new URLSearchParams(view() as Record<string, string>).toString()}`, headers: { 'user-agent': 'Mozilla/5.0' } })
    expect([answer.statusCode, answer.headers['content-type'], answer.rawPayload.subarray(0, 6).toString()]).toEqual([200, 'image/gif', 'GIF89a'])
    expect(JSON.parse(acceptedOf(log)[0]!.line.toString())).toMatchObject({ ...view(), peer: { userAgent: 'Mozilla/5.0' } })
  })

  it('never lets one bad event harm its batch', async () => {
    const { post, log } = await setUp()
    const answer = await post(PATH, body(view(), 5, view({ e: 'ue', eid: 'e2' }), view({ aid: 'other' }), view({ eid: 'e3' })), {})
    expect(answer.statusCode).toBe(200)
    expect(acceptedOf(log)).toHaveLength(2)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['NOT_AN_OBJECT', 'EVENT_NAME_MISSING', 'WRITE_KEY_MIXED'])
  })

  it('takes a list that waited in the tracker for what it is, not for a clock that is behind', async () => {
    const { post, time, log, project } = await setUp()
    const at = time.at
    const origin = { origin: 'https://shop.example' }
    await post(PATH, body(view({ dtm: String(at), stm: String(at) })), origin)
    time.at += 20 * 60_000
    await post(PATH, body(view({ eid: 'e2', dtm: String(at + 1), stm: String(at + 2) })), origin)
    expect(storedIn(log, project, new Set()).stored.map(({ timestamp }) => timestamp).sort()).toEqual([at, at + 1])
  })

  it('refuses by codes after which a tracker gives up, and by 503 what may come again', async () => {
    const { post, http, log } = await setUp({ BATCH_EVENTS_MAX: 2 })
    expect((await post(PATH, '{"data":[', {})).statusCode).toBe(400)
    expect((await post(PATH, '{"data":5}', {})).statusCode).toBe(400)
    expect((await post(PATH, body(view(), view(), view()), {})).statusCode).toBe(400)
    expect((await post(PATH, body(view({ aid: 'nobody' })), {})).statusCode).toBe(401)
    expect((await http.inject('/i?e=pv&p=web')).statusCode).toBe(401)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['BATCH_TOO_LONG'])
    log.failWith(new LogUnavailable('LOG_BUSY', 'full'))
    expect((await post(PATH, body(view()), {})).statusCode).toBe(503)
  })
})
