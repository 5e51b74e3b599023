import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSystem, type System } from './system.ts'

const HOUR = 3_600_000

interface Activity {
  readonly counts: object
  readonly accepted: readonly { readonly event: string; readonly messageId: string; readonly userId: string | null }[]
  readonly rejected: readonly { readonly code: string; readonly detail: string }[]
}

describe('the activity of a source', () => {
  let system: System
  let now = 0
  const event = (name: string, more: object = {}): object => ({ type: 'track', event: name, userId: 'u1', messageId: name, timestamp: new Date(now).toISOString(), ...more })
  const ask = async (source: string, query = '', key?: string): Promise<{ status: number; body: Activity }> =>
    (await system.ask('GET', `/api/sources/${source}/activity${query}`, undefined, key)) as { status: number; body: Activity }

  beforeAll(async () => {
    system = await openSystem()
    now = system.now()
    await system.projects.addWriteKey(1, 'web')
    await system.projects.addWriteKey(1, "o'web")
    await system.projects.addWriteKey(2, 'web')
    await system.accept([event('long ago', { timestamp: new Date(now - 30 * HOUR).toISOString() })], now - 30 * HOUR)
    await system.accept(Array.from({ length: 12 }, (_, at) => event(`e${String(at).padStart(2, '0')}`)), now)
    const earlier = { timestamp: new Date(now - 2 * HOUR).toISOString() }
    await system.accept([event('again', earlier), event('again', { ...earlier, repeat: true })], now - 2 * HOUR)
    await system.accept([event('elsewhere')], now, 'till')
    await system.accept([event('theirs')], now, 'web', 2)
    await system.reject('NOT_JSON', now - 1)
    await system.reject('TOO_OLD', now)
    await system.resolve()
    await system.metrics.drain()
  })
  afterAll(() => system.close())

  it('is the sum of its ledger, of its own hours and of no other source or project', async () => {
    expect((await ask('web')).body.counts).toEqual({ received: 16, stored: 13, rejected: 2, duplicate: 1, erased: 0, pending: 0 })
    expect((await ask('web', '?hours=48')).body.counts).toMatchObject({ received: 17, stored: 14 })
    expect((await ask('web', '?hours=24', 'mk_other')).body).toMatchObject({ counts: { received: 1, stored: 1, rejected: 0 }, accepted: [{ event: 'theirs' }], rejected: [] })
    expect((await ask("o'web")).body).toMatchObject({ counts: { received: 0 }, accepted: [], rejected: [] })
  })

  it('shows the newest ten events and refusals, newest first', async () => {
    const { accepted, rejected } = (await ask('web')).body
    expect(accepted.map(({ messageId }) => messageId)).toEqual(['e11', 'e10', 'e09', 'e08', 'e07', 'e06', 'e05', 'e04', 'e03', 'e02'])
    expect(accepted[0]).toEqual({
      receivedAt: new Date(now).toISOString(), timestamp: new Date(now).toISOString(), type: 'track', event: 'e11', userId: 'u1', anonymousId: null,
      protocol: 'segment', messageId: 'e11', requestId: null,
    })
    expect(rejected).toEqual([
      { receivedAt: new Date(now).toISOString(), code: 'TOO_OLD', detail: 'it is TOO_OLD', protocol: 'segment', messageId: null, requestId: null },
      { receivedAt: new Date(now - 1).toISOString(), code: 'NOT_JSON', detail: 'it is NOT_JSON', protocol: 'segment', messageId: null, requestId: null },
    ])
  })

  it('is refused for a source that the project does not have, and for hours that are none', async () => {
    expect(await ask('till')).toMatchObject({ status: 404, body: { code: 'SOURCE_NOT_FOUND' } })
    expect(await ask('web', '?hours=0')).toMatchObject({ status: 400, body: { code: 'QUESTION_INVALID' } })
    expect(await ask('web', '', 'nobody')).toMatchObject({ status: 401 })
  })
})
