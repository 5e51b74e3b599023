import { describe, expect, it } from 'vitest'
import { storedIn } from '../golden.ts'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0', origin: 'https://shop.example' }
const page = 'idsite=wk&rec=1&_id=0123456789abcdef&url=https%3A%2F%2Fshop.example%2Fa%3Fb%3D%2520c&action_name=A'

describe('the tracking API of Matomo', () => {
  it('takes a request from a query, a form or both, on both paths, and answers with a picture or 204', async () => {
    const { http, post, log, project, givenIds } = await setUp()
    for (const path of ['/matomo.php', '/piwik.php']) {
      const picture = await http.inject({ url: `${path}?${page}`, headers: BROWSER })
      expect([picture.statusCode, picture.headers['content-type'], picture.rawPayload.toString('latin1', 0, 6)]).toEqual([200, 'image/gif', 'GIF89a'])
      expect(picture.headers['access-control-allow-origin']).toBe('https://shop.example')
      expect((await http.inject({ url: `${path}?${page}&send_image=0` })).statusCode).toBe(204)
      expect((await post(path, `${page}&send_image=0`, BROWSER)).statusCode).toBe(204)
      expect((await post(`${path}?${page}&send_image=0`, '', {})).statusCode).toBe(204)
    }
    const { stored } = storedIn(log, project, givenIds)
    expect(stored).toHaveLength(8)
    expect(new Set(stored.map(({ type, anonymousId, context }) => JSON.stringify([type, anonymousId, (context['page'] as { url: string }).url])))).toEqual(new Set(['["page","0123456789abcdef","https://shop.example/a?b=%20c"]']))
    expect(new Set(stored.map(({ channel }) => channel))).toEqual(new Set(['web', 'server']))
  })

  it('takes many at once, refuses one by itself, and does not store a sign of life', async () => {
    const { post, log, project, givenIds } = await setUp()
    const requests = [`?${page}`, `https://m.example/matomo.php?${page}&e_c=c&e_a=Play`, page, `?${page.replace('wk', 'other')}`, `?${page}&cdt=yesterday`, `?${page}&ping=1`, { idsite: 'wk', _id: 'x', url: 'https://shop.example/' }, 5]
    const answer = await post('/matomo.php', { requests }, {})
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'success', tracked: 5, invalid: 3 }])
    const { stored, rejected } = storedIn(log, project, givenIds)
    expect([stored.map(({ event }) => event).sort(), rejected]).toEqual([['Page Viewed', 'Page Viewed', 'Page Viewed', 'Play'], ['TIMESTAMP_INVALID', 'WRITE_KEY_MIXED', 'WRITE_KEY_MIXED']])
  })

  it('takes a time of the last day from anybody, and an older one and an address of somebody else from who proves itself', async () => {
    const { http, post, log, project, givenIds } = await setUp()
    const send = (more: string) => http.inject(`/matomo.php?${page}&${more}`)
    expect((await send('cdt=2024-05-31%2013:00:00&cip=203.0.113.7')).statusCode).toBe(200)
    expect((await send('cdo=3600')).statusCode).toBe(200)
    const old = await send('cdt=2024-05-31%2011:00:00')
    expect([old.statusCode, old.json().status]).toEqual([400, 'error'])
    expect((await send('cdo=90000')).statusCode).toBe(400)
    expect((await send('cdt=1714564800&token_auth=other')).statusCode).toBe(400)
    expect((await send('cdt=1714564800&token_auth=wk&cip=203.0.113.7')).statusCode).toBe(200)
    expect((await post('/matomo.php', { requests: [`?${page}&cdt=2024-04-01`], token_auth: 'wk' }, {})).json()).toMatchObject({ tracked: 1 })
    const { stored, rejected } = storedIn(log, project, givenIds)
    expect(stored.map(({ timestamp, context }) => [new Date(timestamp).toISOString(), context['ip']]).sort()).toEqual([
      ['2024-04-01T00:00:00.000Z', undefined], ['2024-05-01T12:00:00.000Z', '203.0.113.7'], ['2024-05-31T13:00:00.000Z', undefined], ['2024-06-01T11:00:00.000Z', undefined],
    ])
    expect(rejected).toEqual(['TIME_NOT_TRUSTED', 'TIME_NOT_TRUSTED', 'TIME_NOT_TRUSTED'])
    expect(acceptedOf(log).some(({ line }) => line.includes('token_auth'))).toBe(false)
  })

  it('gives a visitor without an id one of its own, and a server’s request none', async () => {
    const { http, log, project, givenIds } = await setUp()
    const url = '/matomo.php?idsite=wk&rec=1&url=https%3A%2F%2Fshop.example%2F'
    await http.inject({ url, headers: BROWSER })
    await http.inject({ url: `${url}&uid=u1` })
    await http.inject({ url: `${url}&ua=Mozilla` })
    const ids = storedIn(log, project, givenIds).stored.map(({ anonymousId, userId }) => [anonymousId?.slice(0, 2) ?? null, userId])
    expect(ids.sort()).toEqual([['v-', null], ['v-', null], [null, 'u1']].sort())
  })

  it('keeps a form with more fields than it reads as one refusal, whole', async () => {
    const { post, log } = await setUp()
    const more = (count: number): string => page + Array.from({ length: count - page.split('&').length }, (_, n) => `&dimension${n}=${n}`).join('')
    expect((await post('/matomo.php', more(1_000), BROWSER)).statusCode).toBe(200)
    expect((await post('/matomo.php', more(1_001), BROWSER)).statusCode).toBe(413)
    expect(rejectedOf(log)).toMatchObject([{ code: 'BODY_TOO_LARGE', detail: 'the form has more than 1000 fields', bytes: Buffer.from(more(1_001)).toString('base64') }])
    expect(acceptedOf(log)).toHaveLength(1)
    expect((await post('/matomo.php', { requests: [`?${more(1_001)}`] }, {})).json()).toMatchObject({ tracked: 1 })
    expect(String(acceptedOf(log)[1]!.line)).toContain('"dimension994":"994"')
  })

  it('believes an address that makes a visitor only of who proves itself', async () => {
    const { http, log, project, givenIds } = await setUp()
    const url = '/matomo.php?idsite=wk&rec=1&url=https%3A%2F%2Fshop.example%2F'
    const visitors = () => new Set(storedIn(log, project, givenIds).stored.map(({ anonymousId }) => anonymousId)).size
    for (const cip of ['203.0.113.7', '203.0.113.8']) await http.inject({ url: `${url}&cip=${cip}`, headers: BROWSER })
    expect(visitors()).toBe(1)
    for (const cip of ['203.0.113.7', '203.0.113.8']) await http.inject({ url: `${url}&cip=${cip}&token_auth=wk`, headers: BROWSER })
    expect(visitors()).toBe(3)
  })

  it('refuses an unknown key and a body that cannot be read', async () => {
    const { http, post, log } = await setUp()
    expect((await http.inject('/matomo.php?idsite=7&rec=1')).statusCode).toBe(401)
    expect((await http.inject('/matomo.php?rec=1&url=x')).json()).toMatchObject({ status: 'error' })
    expect((await http.inject('/matomo.php')).statusCode).toBe(400)
    const bulk = await post('/matomo.php', { requests: ['?idsite=7'] }, {})
    expect([bulk.statusCode, bulk.json()]).toMatchObject([401, { status: 'error', tracked: 0 }])
    expect((await post('/matomo.php', '{"requests":', {})).statusCode).toBe(400)
    expect((await post('/matomo.php?idsite=wk', '{"requests":5}', {})).statusCode).toBe(400)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['BATCH_MISSING'])
  })
})
