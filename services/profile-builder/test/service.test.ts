import { keyOf, personIdOf } from '@millrace/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventRowBytes } from './service-rows.ts'
import { type SetUp, setUp } from './service-set-up.ts'

let system: SetUp
beforeAll(async () => { system = await setUp() })
afterAll(() => system.stop())

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 5, 9, minute)).toISOString()

describe('profile-builder from events.accepted to an answer', () => {
  it('shows an anonymous visit, an identify and two orders as one person, by each of its keys', async () => {
    const { send, service, get } = system
    await send([{ type: 'page', anonymousId: 'a1', timestamp: at(0), context: { campaign: { source: 'wechat' }, channel: 'web' } }])
    await service.drain()
    const alone: { personId: string } = (await get('/api/profiles?anonymousId=a1')).body
    await send([
      { type: 'identify', userId: 'u1', anonymousId: 'a1', timestamp: at(1), traits: { email: 'u1@shop.example', plan: 'gold' } },
      { type: 'track', event: 'Order Completed', userId: 'u1', timestamp: at(2), properties: { order_id: 'o1', revenue: 10.1, currency: 'CNY' } },
      { type: 'track', event: 'Order Completed', userId: 'u1', timestamp: at(3), properties: { order_id: 'o2', revenue: 20.2 } },
      { type: 'track', event: 'Order Completed', userId: 'u1', timestamp: at(3), properties: { order_id: 'o2', revenue: 20.2 } },
    ])
    await service.drain()
    const { status, body } = await get('/api/profiles?userId=u1')
    expect(status).toBe(200)
    const profile: Record<string, unknown> = body
    expect(profile).toMatchObject({
      personId: personIdOf(1, keyOf('user_id', 'u1')), userId: 'u1', anonymousIds: ['a1'], events: 5, firstSeen: at(0), lastSeen: at(3),
      traits: { email: 'u1@shop.example', plan: 'gold' }, firstTouch: { campaign: { source: 'wechat' } }, partial: [], arriving: false,
      orders: { count: 2, byCurrency: [{ currency: 'CNY', orders: 2, revenue: '30.3', average: '15.15' }] },
      activity: { sessions: 1, days: 1, zone: 'Asia/Shanghai' },
    })
    for (const query of ['anonymousId=a1', 'type=user_id&value=u1', 'type=anonymous_id&value=a1'])
      expect((await get(`/api/profiles?${query}`)).body).toEqual(profile)
    expect((await get(`/api/profiles/${String(profile['personId'])}`)).body).toEqual(profile)
    expect((await get(`/api/profiles/${alone.personId}`)).status).toBe(404)
  })
  it('has the same in the column store, the emptied person as gone', async () => {
    const rows = await system.columns.query<Record<string, unknown>>(
      'SELECT user_id, anonymous_ids, gone, first_seen, JSONExtractString(traits, \'plan\') AS plan, JSONExtractInt(document, \'events\') AS events FROM millrace_store.profiles FINAL ORDER BY gone')
    expect(rows).toEqual([
      { user_id: 'u1', anonymous_ids: ['a1'], gone: false, first_seen: '2026-01-05 09:00:00.000', plan: 'gold', events: 5 },
      { user_id: '', anonymous_ids: [], gone: true, first_seen: null, plan: '', events: 0 },
    ])
    const people = await system.columns.query<Record<string, unknown>>('SELECT person_id, user_id, consent FROM millrace.people')
    expect(people).toEqual([{ person_id: personIdOf(1, keyOf('user_id', 'u1')), user_id: 'u1', consent: '{}' }])
  })
  it('knows an id that only came beside another, in the answer and in the column store', async () => {
    const { send, service, get, columns } = system
    await send([{ type: 'track', event: 'Clicked', userId: 'beside', anonymousId: 'never-alone', timestamp: at(4) }])
    await service.drain()
    expect((await get('/api/profiles?anonymousId=never-alone')).body).toMatchObject({ userId: 'beside', anonymousIds: ['never-alone'] })
    const rows = await columns.query<Record<string, unknown>>("SELECT user_id, anonymous_ids, identities FROM millrace.people WHERE user_id = 'beside'")
    expect(rows).toEqual([{
      user_id: 'beside', anonymous_ids: ['never-alone'],
      identities: '[{"type":"anonymous_id","value":"never-alone"},{"type":"user_id","value":"beside"}]',
    }])
    // A second user of the device does not take it.
    await send([{ type: 'track', event: 'Clicked', userId: 'second', anonymousId: 'never-alone', timestamp: at(5) }])
    await service.drain()
    expect(await columns.query("SELECT anonymous_ids FROM millrace.people WHERE user_id = 'second'")).toEqual([{ anonymous_ids: [] }])
    // An earlier link that comes late does.
    await send([{ type: 'track', event: 'Clicked', userId: 'second', anonymousId: 'never-alone', timestamp: at(1) }])
    await service.drain()
    expect(await columns.query("SELECT user_id, anonymous_ids FROM millrace.people WHERE user_id IN ('second', 'beside') ORDER BY user_id"))
      .toEqual([{ user_id: 'beside', anonymous_ids: [] }, { user_id: 'second', anonymous_ids: ['never-alone'] }])
  })
  it('gives back what each had when a merge is undone', async () => {
    const { send, command, service, get } = system
    await send([{ type: 'track', event: 'Clicked', userId: 'm1', timestamp: at(5) }, { type: 'track', event: 'Clicked', userId: 'm2', timestamp: at(6) }])
    await service.drain()
    const line = { type: 'identity.command', a: 'user_id:m1', b: 'user_id:m2', by: 'test' } as const
    await command({ ...line, op: 'merge', order: { time: 1, messageId: 'c1' } })
    await service.drain()
    const merged: { events: number; personId: string } = (await get('/api/profiles?userId=m1')).body
    expect(merged.events).toBe(2)
    expect((await get('/api/profiles?userId=m2')).body).toEqual(merged)
    await command({ ...line, op: 'unlink', order: { time: 2, messageId: 'c2' } })
    await service.drain()
    const [first, second]: { events: number; firstSeen: string }[] = [(await get('/api/profiles?userId=m1')).body, (await get('/api/profiles?userId=m2')).body]
    expect([first!.events, first!.firstSeen, second!.events, second!.firstSeen]).toEqual([1, at(5), 1, at(6)])
  })
})

describe('answers', () => {
  it('refuse what is not asked right, with a code', async () => {
    const { get } = system
    const code = async (path: string, key?: string | null) => ((await get(path, key)).body as { code: string }).code
    expect(await code('/api/profiles?userId=nobody')).toBe('PERSON_NOT_FOUND')
    expect(await code('/api/profiles/not-an-id')).toBe('PERSON_NOT_FOUND')
    expect(await code(`/api/profiles/${personIdOf(1, 'user_id:none')}/timeline`)).toBe('PERSON_NOT_FOUND')
    expect(await code('/api/profiles?userId=null')).toBe('KEY_INVALID')
    expect(await code('/api/profiles?type=shoe&value=1')).toBe('KEY_INVALID')
    expect(await code('/api/profiles?type=user_id')).toBe('BAD_REQUEST')
    expect(await code('/api/profiles?userId=u1&anonymousId=a1')).toBe('BAD_REQUEST')
    expect(await code('/api/profiles?limit=0')).toBe('BAD_REQUEST')
    expect(await code('/api/profiles?after=nonsense')).toBe('BAD_REQUEST')
    expect(await code('/api/profiles?shoe=1')).toBe('BAD_REQUEST')
    expect(await code('/api/profiles?userId=u1', null)).toBe('API_KEY_MISSING')
  })
  it('know nothing of another project', async () => {
    const { projects, get, send, service } = system
    const other = await projects.create({ name: 'other', zone: 'UTC', currency: 'EUR' })
    await send([{ type: 'track', event: 'Clicked', userId: 'u1', timestamp: at(9) }], other.project)
    await service.drain()
    const mine: { personId: string } = (await get('/api/profiles?userId=u1')).body
    const theirs: { events: number; personId: string } = (await get('/api/profiles?userId=u1', other.apiKey)).body
    expect([theirs.events, theirs.personId === mine.personId]).toEqual([1, false])
    for (const path of [mine.personId, `${mine.personId}/timeline`]) expect((await get(`/api/profiles/${path}`, other.apiKey)).status).toBe(404)
    expect(((await get('/api/profiles', other.apiKey)).body as { people: unknown[] }).people).toHaveLength(1)
  })
  it('list all people in pages, seen last first, none twice and none left out', async () => {
    const { get, send, service } = system
    await send(Array.from({ length: 25 }, (_, n) => ({ type: 'track', event: 'Clicked', userId: `list${n}`, timestamp: at(30 + (n % 7)) })))
    await service.drain()
    type Page = { people: { personId: string; lastSeen: string }[]; next: string | null }
    const whole: Page = (await get('/api/profiles?limit=1000')).body
    const paged: Page['people'] = []
    for (let next: string | null = ''; next !== null;) {
      const page: Page = (await get(`/api/profiles?limit=4${next === '' ? '' : `&after=${next}`}`)).body
      paged.push(...page.people)
      next = page.next
    }
    expect(whole.next).toBeNull()
    expect(paged).toEqual(whole.people)
    expect(paged.length).toBe(30)
    expect(paged.map(({ lastSeen }) => lastSeen)).toEqual(paged.map(({ lastSeen }) => lastSeen).toSorted().toReversed())
  })
  it('page through the timeline of a person, newest first, all events of one moment too', async () => {
    const { get, send, service, columns, log } = system
    await send(Array.from({ length: 23 }, (_, n) => ({
      type: 'track', event: `E${n % 3}`, userId: 'timeline', timestamp: at(n % 4), properties: { n, list: [n] }, context: { page: { path: '/x' } },
    })))
    await service.drain()
    const { personId }: { personId: string } = (await get('/api/profiles?userId=timeline')).body
    await columns.insert({ table: 'millrace_store.events', rows: await eventRowBytes(log, system.project, personId), token: 'timeline' })
    type Page = { events: { at: string; messageId: string; properties: { n: number; list: number[] }; context: unknown }[]; next: string | null }
    const whole: Page = (await get(`/api/profiles/${personId}/timeline`)).body
    expect([whole.events.length, whole.next]).toEqual([23, null])
    expect(whole.events.map((event) => event.at)).toEqual(whole.events.map((event) => event.at).toSorted().toReversed())
    expect(whole.events[0]!.properties).toEqual({ n: whole.events[0]!.properties.n, list: [whole.events[0]!.properties.n] })
    expect(whole.events[0]!.context).toEqual({ page: { path: '/x' } })
    const paged: Page['events'] = []
    for (let next: string | null = ''; next !== null;) {
      const page: Page = (await get(`/api/profiles/${personId}/timeline?limit=5${next === '' ? '' : `&after=${next}`}`)).body
      paged.push(...page.events)
      next = page.next
    }
    expect(paged).toEqual(whole.events)
  })
})

describe('operations on traits', () => {
  it('follow the time of events, over a sign-in, in the answer and in the column store', async () => {
    const { send, service, get, columns } = system
    await send([
      { type: 'track', event: 'Seen', anonymousId: 'counted-a', timestamp: at(2), traitOps: { add: { visits: 0.2 }, setOnce: { first_page: '/b' } } },
      { type: 'identify', userId: 'counted', timestamp: at(1), traits: { visits: 10 }, traitOps: { union: { tags: ['x'] } } },
    ])
    await service.drain()
    await send([
      { type: 'track', event: 'Seen', anonymousId: 'counted-a', timestamp: at(0), traitOps: { add: { visits: 5 }, setOnce: { first_page: '/a' } } },
      { type: 'identify', userId: 'counted', anonymousId: 'counted-a', timestamp: at(3), traitOps: { add: { visits: 0.1 }, append: { tags: 'x' } } },
    ])
    await service.drain()
    const traits = { visits: 10.3, first_page: '/a', tags: ['x', 'x'] }
    expect((await get('/api/profiles?anonymousId=counted-a')).body).toMatchObject({ userId: 'counted', traits, partial: [] })
    const [row] = await columns.query<{ traits: string }>("SELECT traits FROM millrace.people WHERE user_id = 'counted'")
    expect(JSON.parse(row!.traits)).toEqual(traits)
    await send([{ type: 'track', event: 'Left', userId: 'counted', timestamp: at(4), traitOps: { delete: true } }])
    await service.drain()
    expect((await get('/api/profiles?anonymousId=counted-a')).body).toMatchObject({ traits: {}, events: 5 })
  })
})
