import { describe, expect, it } from 'vitest'
import { readVisit, signVisit } from '../../src/domain/visit-token.ts'
import { storedIn } from '../golden.ts'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0', origin: 'https://shop.example' }
const event = (payload: object = {}, type = 'event') => ({ type, payload: { website: 'wk', url: 'https://shop.example/a', ...payload } })
interface Visit { readonly cache: string; readonly sessionId: string; readonly visitId: string }

describe('the collection API of Umami', () => {
  it('answers with a token that carries the visitor and the visit, also over a change of address', async () => {
    const { http, post, time, log, project, givenIds } = await setUp()
    const first = (await post('/api/send', event(), BROWSER)).json() as Visit
    const other = { ...BROWSER, 'user-agent': 'Mozilla/5.0 other' }
    time.at += 29 * 60_000
    const second = (await post('/api/send', event({ name: 'buy' }), { ...other, 'x-umami-cache': first.cache })).json() as Visit
    expect([second.sessionId, second.visitId]).toEqual([first.sessionId, first.visitId])
    time.at += 31 * 60_000
    const third = (await post('/api/send', event({ data: { a: 1 } }, 'identify'), { ...other, 'x-umami-cache': second.cache })).json() as Visit
    expect([third.sessionId, third.visitId === first.visitId]).toEqual([first.sessionId, false])
    expect(((await post('/api/send', event(), other)).json() as Visit).sessionId).not.toBe(first.sessionId)
    const { stored } = storedIn(log, project, givenIds)
    expect(stored.filter(({ anonymousId }) => anonymousId === first.sessionId).map(({ type, sessionId }) => [type, sessionId]).sort()).toEqual(
      [['identify', third.visitId], ['page', first.visitId], ['track', first.visitId]])
    const preflight = await http.inject({ method: 'OPTIONS', url: '/api/send', headers: { origin: 'https://shop.example', 'access-control-request-headers': 'x-umami-cache' } })
    expect(preflight.headers['access-control-allow-headers']).toBe('x-umami-cache')
  })

  it('files what is brought in later under the visitor of its own time, not that of the token', async () => {
    const { post } = await setUp()
    const { cache, sessionId } = (await post('/api/send', event(), BROWSER)).json() as Visit
    const later = (await post('/api/send', event({ timestamp: 1714564800 }), { ...BROWSER, 'x-umami-cache': cache })).json() as Visit
    expect(later.sessionId).toMatch(/^v-/)
    expect(later.sessionId).not.toBe(sessionId)
  })

  it('does not believe a token that is changed, of another site, or none', async () => {
    const { project, post, time } = await setUp()
    const token = signVisit(project, 'wk', { visitor: 'v-1', visit: 's1' }, time.at)
    expect(readVisit(project, 'wk', token, time.at)).toEqual({ visitor: 'v-1', visit: 's1' })
    const [text, signature] = token.split('.')
    const forged = `${Buffer.from(JSON.stringify({ visitor: 'v-2', visit: 's1', at: time.at })).toString('base64url')}.${signature}`
    for (const bad of [forged, text!, `${text}.`, '', '.', 'a.b', 'x'.repeat(5000), undefined]) expect(readVisit(project, 'wk', bad, time.at)).toBeNull()
    expect(readVisit(project, 'other', token, time.at)).toBeNull()
    expect(readVisit({ ...project, apiKeys: [] }, 'wk', token, time.at)).toBeNull()
    expect(((await post('/api/send', event(), { ...BROWSER, 'x-umami-cache': forged })).json() as Visit).sessionId).toMatch(/^v-/)
  })

  it('keeps the body as it was sent, and adds who visits', async () => {
    const { post, log } = await setUp()
    const body = '{"type":"event" ,"payload":{"website":"wk","data":{"big":12345678901234567890}}}'
    await post('/api/send', body, BROWSER)
    expect(acceptedOf(log)[0]!.line.toString()).toMatch(/^\{"type":"event" ,"payload":\{"website":"wk","data":\{"big":12345678901234567890\}\},"anonymousId":"v-[0-9a-f]{32}","sessionId":"[0-9a-f-]{36}","messageId":/)
  })

  it('knows no visitor where a server tells of none, and the one that it tells of', async () => {
    const { post, log, project, givenIds } = await setUp()
    const server = { 'user-agent': 'Mozilla/5.0 Umami/v22.1.0' }
    expect((await post('/api/send', event({ id: 'u1' }), server)).json()).toEqual({ cache: '', sessionId: '', visitId: '' })
    await post('/api/send', event({ ip: '203.0.113.7', userAgent: 'Mozilla/5.0 Firefox', name: 'a', timestamp: 1714564800 }), server)
    await post('/api/send', event({ ip: '203.0.113.8', userAgent: 'Mozilla/5.0 Firefox', name: 'b' }), server)
    const { stored } = storedIn(log, project, givenIds)
    expect(stored.map(({ event: name, userId, context }) => [name, userId, context['ip']]).sort()).toEqual([['Page Viewed', 'u1', undefined], ['a', null, '203.0.113.7'], ['b', null, '203.0.113.8']])
    expect(new Set(stored.map(({ anonymousId }) => anonymousId)).size).toBe(3)
    expect(stored.every(({ context }) => (context['library'] as { name: string }).name === 'umami-node')).toBe(true)
  })

  it('takes a batch, and refuses one event of it by itself', async () => {
    const { post, log, project, givenIds } = await setUp()
    const answer = await post('/api/batch', [event(), event({ name: 'a' }), event({}, 'performance'), event({ website: 'other' }), null, { ...event(), type: { toString: 1 } }], BROWSER)
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { size: 6, processed: 2, errors: 4, details: [{ index: 2 }, { index: 3 }, { index: 4 }, { index: 5 }], cache: expect.stringContaining('.') }])
    expect(storedIn(log, project, givenIds)).toMatchObject({ stored: [{}, {}], rejected: ['NOT_AN_OBJECT', 'TYPE_UNKNOWN', 'TYPE_UNKNOWN', 'WRITE_KEY_MIXED'] })
    expect((await post('/api/batch', { a: 1 }, BROWSER)).statusCode).toBe(400)
  })

  it('answers a bad event and a bad body in its own shape, and an unknown key with silence', async () => {
    const { post, log, http } = await setUp()
    const bad = await post('/api/send', event({}, 'nothing'), BROWSER)
    expect([bad.statusCode, bad.json()]).toEqual([400, { error: { message: 'type is umami:nothing', code: 'TYPE_UNKNOWN', status: 400 } }])
    expect((await post('/api/send', '{"type"', BROWSER)).json()).toMatchObject({ error: { code: 'NOT_JSON', status: 400 } })
    const unknown = await post('/api/send', event({ website: 'other' }), BROWSER)
    expect([unknown.statusCode, unknown.body]).toEqual([200, '{}'])
    expect([acceptedOf(log).length, rejectedOf(log).length]).toEqual([0, 1])
    expect((await http.inject('/metrics')).body).toContain('requests_unauthorised_total{code="WRITE_KEY_UNKNOWN"} 1')
  })
})
