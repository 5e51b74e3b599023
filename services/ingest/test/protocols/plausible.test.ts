import { describe, expect, it } from 'vitest'
import { storedIn } from '../golden.ts'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const BROWSER = { 'user-agent': 'Mozilla/5.0 Firefox/130.0', origin: 'https://shop.example', 'content-type': 'text/plain' }
const pageview = { n: 'pageview', u: 'https://shop.example/a', d: 'wk' }

describe('the events API of Plausible', () => {
  it('takes an event as text, with the visitor of the day', async () => {
    const { post, time, log, project, givenIds } = await setUp()
    for (const days of [0, 0, 1]) {
      time.at += days * 86_400_000
      const answer = await post('/api/event', pageview, BROWSER)
      expect([answer.statusCode, answer.body]).toEqual([202, 'ok'])
    }
    const { stored } = storedIn(log, project, givenIds)
    expect([stored.length, new Set(stored.map(({ anonymousId }) => anonymousId)).size]).toEqual([3, 2])
    expect(stored[0]).toMatchObject({ type: 'page', channel: 'web', context: { library: { name: 'plausible-web' } } })
  })

  it('finds its key in the domain, one of several domains, or the host of the page', async () => {
    const { post, log } = await setUp()
    expect((await post('/api/event', { ...pageview, d: 'other.example, wk' }, BROWSER)).statusCode).toBe(202)
    expect((await post('/api/event', { name: 'Buy', url: 'https://x.example/', domain: 'wk' }, {})).statusCode).toBe(202)
    expect((await post('/api/event', { n: 'Buy', u: 'https://wk/a' }, {})).statusCode).toBe(202)
    expect(acceptedOf(log)).toHaveLength(3)
  })

  it('refuses in its own shape', async () => {
    const { post, log } = await setUp()
    const unknown = await post('/api/event', { ...pageview, d: 'other.example' }, BROWSER)
    expect([unknown.statusCode, unknown.json()]).toMatchObject([401, { errors: { request: [expect.any(String)] } }])
    expect((await post('/api/event', { d: 'wk' }, BROWSER)).json()).toMatchObject({ errors: { event: [expect.any(String)] } })
    expect((await post('/api/event', '{"n":', BROWSER)).statusCode).toBe(400)
    expect((await post('/api/event', '5', BROWSER)).statusCode).toBe(401)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['EVENT_NAME_MISSING'])
  })
})
