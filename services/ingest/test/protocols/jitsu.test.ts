import { describe, expect, it } from 'vitest'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const event = (fields: object = {}) => ({ type: 'track', event: 'A', userId: 'u1', messageId: 'm1', writeKey: 'wk:***', ...fields })
const key = { 'x-write-key': 'wk:secret' }

describe('a request of Jitsu', () => {
  it('is taken on each path, from pages and from servers, as it was sent', async () => {
    const { post, log } = await setUp()
    const own = { page: {}, screen: {}, track: {}, identify: { traits: { a: 1 } }, group: { groupId: 'g1' }, alias: { previousId: 'old' } }
    const sent = Object.entries(own).flatMap(([type, more]) => ['/api/s', '/api/s/s2s'].map((path) => [`${path}/${type}`, JSON.stringify(event({ type, ...more, messageId: `${path}${type}` }))] as const))
    for (const [path, body] of sent) {
      const answer = await post(path, body, key)
      expect([path, answer.statusCode, answer.json()]).toEqual([path, 200, { ok: true }])
    }
    expect(acceptedOf(log).map(({ line }) => line.toString())).toEqual(sent.map(([, body]) => body))
    expect(new Set(acceptedOf(log).map(({ header }) => header.origins[0]!.protocol))).toEqual(new Set(['jitsu']))
  })

  it('has its type from its path where it names none', async () => {
    const { post, log } = await setUp()
    await post('/api/s/s2s/page/', { userId: 'u1' }, key)
    expect(JSON.parse(acceptedOf(log)[0]!.line.toString())).toMatchObject({ userId: 'u1', type: 'page' })
  })

  it('carries its key in a header, with a secret or without; what stands masked in the body is none', async () => {
    const { post, basic, log } = await setUp()
    const status = async (headers: Record<string, string>, body: object = event(), query = '') => (await post(`/api/s/track${query}`, body, headers)).statusCode
    expect(await status({ 'x-write-key': 'wk' })).toBe(200)
    expect(await status({ 'x-write-key': 'wk:any:thing' })).toBe(200)
    expect(await status(basic)).toBe(200)
    expect(await status({}, event(), '?writeKey=wk:secret')).toBe(200)
    expect(await status({}, event({ writeKey: 'wk' }))).toBe(200)
    expect(acceptedOf(log)).toHaveLength(5)
    expect(await status({ 'x-write-key': 'other:wk' })).toBe(401)
    expect(await status({ 'x-write-key': ':wk' })).toBe(401)
    expect(await status({})).toBe(401)
    expect((await post('/api/s/track', event({ writeKey: '***' }), {})).json().code).toBe('WRITE_KEY_MISSING')
    expect(acceptedOf(log)).toHaveLength(5)
  })

  it('is answered with the code of what is wrong with it, and kept', async () => {
    const { post, log } = await setUp()
    expect((await post('/api/s/track', event({ event: '' }), key)).json()).toMatchObject({ status: 400, code: 'EVENT_NAME_MISSING' })
    expect((await post('/api/s/track', 'garbage', key)).json().code).toBe('NOT_JSON')
    expect((await post('/api/s/track', '', key)).json().code).toBe('NOT_JSON')
    expect((await post('/api/s/nothing', event(), key)).statusCode).toBe(404)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['EVENT_NAME_MISSING', 'NOT_JSON', 'NOT_JSON'])
  })

  it('may come from any page', async () => {
    const { http } = await setUp()
    const preflight = await http.inject({ method: 'OPTIONS', url: '/api/s/page', headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-write-key' } })
    expect([preflight.statusCode, preflight.headers['access-control-allow-headers']]).toEqual([204, 'content-type,x-write-key'])
  })
})
