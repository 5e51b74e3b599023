import { encodeRecord, partitionOfPerson, topics } from '@millrace/contracts'
import { type ColumnStore, type EventLog, LogUnavailable } from '@millrace/ports'
import { referenceFlips } from '@millrace/segments'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from './store.ts'
import { createSystem, START, type System } from './system.ts'

const HOUR = 3_600_000
const twiceADay = { did: { event: 'Order Completed', value: 2, window: { last: '1d' } } }

let columns: ColumnStore
let system: System
let projectId = 0
beforeAll(async () => {
  columns = await openStore()
})
afterAll(() => columns.close())
afterEach(() => system.stop())

const start = async (env?: Record<string, string>): Promise<void> => {
  system = await createSystem({ columns, projectId: ++projectId, ...(env ? { env } : {}) })
}
const create = async (rule: unknown, name = 'a segment'): Promise<string> => {
  const answer = await system.call('POST', '/api/segments', { name, rule })
  expect(answer).toMatchObject({ status: 201 })
  return answer.body.id
}
const created = async (rule: unknown): Promise<string> => {
  const id = await create(rule)
  await system.untilLive(id)
  return id
}
const told = async () => (await system.flips()).map(({ person, flip, number, at, cause }) => ({ person, flip, number, hours: (at - START) / HOUR, cause }))
/** Whatever a test did: the flips are those that the words of the rules give. */
const agree = async (): Promise<void> => {
  const sort = (flips: readonly object[]) => flips.map((flip) => JSON.stringify(flip)).sort()
  const expected = referenceFlips(await system.records(), () => system.project, topics.accepted.partitions)
  const flips = (await system.flips()).map(({ segment, version, person, flip, at, number }) => ({ segment, version, person, flip, at, number }))
  expect(sort(flips)).toEqual(sort(expected))
}

describe('a live segment', () => {
  it('is entered by an event and left when time alone makes the rule false, by the clock in the stream', async () => {
    await start()
    await created(twiceADay)
    const u1 = system.home.personOf('user_id:u1')
    const first = system.clock.now()
    await system.home.event('user_id:u1', {})
    await system.clock.moveTo(START + 2 * HOUR)
    await system.home.event('user_id:u1', {})
    await system.drain()
    expect(await told()).toEqual([{ person: u1, flip: 'entered', number: 1, hours: 2, cause: 'event' }])
    await system.clock.moveTo(START + 30 * HOUR)
    await system.drain()
    expect((await told())[1]).toEqual({ person: u1, flip: 'exited', number: 2, hours: 24 + (first - START) / HOUR, cause: 'time' })
    const advanced = (await system.records()).filter(({ lines }) => lines.length === 1 && lines[0]!.type === 'clock.advanced')
    expect(advanced).toHaveLength(1)
    await agree()
  })

  it('takes in whoever did nothing, from the first event on', async () => {
    await start()
    await created({ didNot: { event: 'Order Completed' } })
    await system.home.event('anonymous_id:a1', { event: 'Product Viewed' })
    await system.home.event('none:3', { event: 'Product Viewed' })
    await system.drain()
    expect(await told()).toMatchObject([{ person: system.home.personOf('anonymous_id:a1'), flip: 'entered' }])
    await system.home.event('anonymous_id:a1', {})
    await system.drain()
    expect((await told()).map(({ flip }) => flip)).toEqual(['entered', 'exited'])
    await agree()
  })

  it('follows a number to its new person, waits for its past, and gives it back', async () => {
    await start()
    await created(twiceADay)
    await system.home.event('anonymous_id:a1', {})
    await system.home.event('user_id:u1', {})
    await system.drain()
    expect(await told()).toEqual([])
    const u1 = system.home.own('user_id:u1')
    await system.home.place('anonymous_id:a1', u1)
    await system.drain()
    expect(await told()).toMatchObject([{ person: u1, flip: 'entered', number: 1, cause: 'merge' }])
    await system.home.place('anonymous_id:a1', system.home.own('anonymous_id:a1'))
    await system.drain()
    expect(await told()).toMatchObject([{ number: 1 }, { person: u1, flip: 'exited', number: 2, cause: 'merge' }])
    await agree()
  })

  it('holds the flips of a person while a past is on its way, and of nobody else', async () => {
    await start()
    await created(twiceADay)
    const [u1, u2] = [system.home.personOf('user_id:u1'), system.home.personOf('user_id:u2')]
    const partition = partitionOfPerson(u1, topics.resolved.partitions)
    const line = (text: object) => ({ topic: topics.resolved.name, partition, value: encodeRecord({ kind: 'resolved', project: system.project.id, count: 0, origins: [] }, [JSON.stringify(text)]) })
    await system.log.append([line({ type: 'number.expected', number: 9_999, epoch: 7, person: u1 })])
    for (const key of ['user_id:u1', 'user_id:u2']) for (let n = 0; n < 2; n++) await system.home.event(key, {})
    await system.drain()
    expect(await told()).toMatchObject([{ person: u2, flip: 'entered' }])
    await system.log.append([line({ type: 'number.moved', for: 'segmentation', number: 9_999, epoch: 7, person: u1, state: null, clock: START + HOUR })])
    await system.drain()
    expect((await told())[1]).toMatchObject({ person: u1, flip: 'entered', cause: 'merge', hours: 1 })
    await agree()
  })

  it('reads the past of a new rule once, while the stream goes on and numbers move', async () => {
    await start()
    for (let n = 0; n < 40; n++) {
      await system.home.event(`user_id:u${n % 7}`, { properties: { price: n } })
      if (n === 20) await system.home.place('user_id:u3', system.home.own('user_id:u4'))
    }
    const id = await create({ did: { event: 'Order Completed', measure: 'sum', property: 'price', op: 'gte', value: 120 } })
    for (let n = 0; n < 14; n++) await system.home.event(`user_id:u${n % 7}`, { properties: { price: 10 } })
    await system.home.place('user_id:u1', system.home.own('user_id:u2'))
    await system.untilLive(id)
    await system.drain()
    expect((await told()).filter(({ cause }) => cause === 'backfill').length).toBeGreaterThan(0)
    await agree()
  })

  it('is live, and so are those behind it, although the log took a part of an append and failed', async () => {
    let failing = false
    const throughLog = (log: EventLog): EventLog => ({
      ...log,
      append: async (records) => {
        await log.append(failing ? records.slice(0, 1) : records)
        if (failing) throw new LogUnavailable('LOG_BUSY', 'the broker is gone')
      },
    })
    system = await createSystem({ columns, projectId: ++projectId, throughLog })
    await system.home.event('user_id:u1', {})
    failing = true
    expect(await system.call('POST', '/api/segments', { name: 'in doubt', rule: { did: { event: 'Order Completed' } } })).toMatchObject({ status: 503 })
    failing = false
    await created({ did: { event: 'Order Completed' } })
    await system.drain()
    expect((await system.call('GET', '/api/segments')).body.segments).toMatchObject([{ state: 'live', size: 1 }, { state: 'live', size: 1 }])
    await agree()
  })

  it('keeps its members while an edit is backfilled, then tells the differences; a deletion ends all memberships', async () => {
    await start()
    const id = await created({ did: { event: 'Order Completed' } })
    await system.home.event('user_id:u1', {})
    for (let n = 0; n < 2; n++) await system.home.event('user_id:u2', {})
    await system.drain()
    const edited = await system.call('PUT', `/api/segments/${id}`, { name: 'twice', rule: { did: { event: 'Order Completed', value: 2 } } })
    expect(edited).toMatchObject({ status: 200, body: { version: 2, state: 'backfilling' } })
    await system.untilLive(id)
    await system.drain()
    expect((await told()).slice(2)).toMatchObject([{ person: system.home.personOf('user_id:u1'), flip: 'exited', number: 2, cause: 'backfill' }])
    expect(await system.call('DELETE', `/api/segments/${id}`)).toMatchObject({ status: 204 })
    await system.drain()
    expect((await told()).slice(3)).toMatchObject([{ person: system.home.personOf('user_id:u2'), flip: 'exited', number: 2, cause: 'deleted' }])
    expect(await system.call('GET', `/api/segments/${id}`)).toMatchObject({ status: 404, body: { code: 'SEGMENT_NOT_FOUND' } })
    await agree()
  })

  it('goes on after a restart where it was, timers included', async () => {
    await start()
    await created(twiceADay)
    for (let n = 0; n < 2; n++) await system.home.event('user_id:u1', {})
    await system.drain()
    await system.restart()
    await system.clock.moveTo(START + 48 * HOUR)
    await system.drain()
    expect((await told()).map(({ flip }) => flip)).toEqual(['entered', 'exited'])
    await agree()
  })
})

describe('the API of segments', () => {
  it('lists, previews, pages members and flips, and explains one person', async () => {
    await start()
    const rule = { all: [twiceADay, { not: { profile: { trait: 'plan', op: 'eq', value: 'free' } } }] }
    const id = await created(rule)
    for (let n = 0; n < 6; n++) await system.home.event(`user_id:u${n % 3}`, {})
    await system.home.event('user_id:u0', { type: 'identify', event: undefined, traits: { plan: 'free' } })
    await system.drain()
    expect((await system.call('GET', '/api/segments')).body).toMatchObject({ segments: [{ id, name: 'a segment', version: 1, state: 'live', size: 2, exact: true, rule }] })
    const members = await system.call('GET', `/api/segments/${id}/members?limit=1`)
    expect(members.body).toMatchObject({ members: [{ cause: 'event' }], definition: { zone: 'UTC', sql: [expect.stringContaining('millrace_store.flips')] } })
    const rest = await system.call('GET', `/api/segments/${id}/members?after=${members.body.next}`)
    expect(rest.body.next).toBeNull()
    expect([...members.body.members, ...rest.body.members].map(({ personId }: { personId: string }) => personId).sort())
      .toEqual([1, 2].map((n) => system.home.personOf(`user_id:u${n}`)).sort())
    const flips = await system.call('GET', `/api/segments/${id}/flips?limit=2`)
    const more = await system.call('GET', `/api/segments/${id}/flips?after=${flips.body.next}`)
    expect([...flips.body.flips, ...more.body.flips].map(({ flip }: { flip: string }) => flip).sort()).toEqual(['entered', 'entered', 'entered', 'exited'])
    const u1 = system.home.personOf('user_id:u1')
    expect((await system.call('GET', `/api/segments/${id}/people/${u1}`)).body).toMatchObject({
      in: true, held: false, flips: 1, explanation: { value: true, of: [{ measured: '2', events: [expect.any(String), expect.any(String)] }, { value: true }] },
      nextFlipAt: new Date(system.clock.now() + 24 * HOUR).toISOString(),
    })
    const preview = await system.call('POST', '/api/segments/preview', { rule: twiceADay })
    expect(preview.body).toMatchObject({ size: 3, people: 3, definition: { sql: [expect.stringContaining('countIf')] } })
    await agree()
  })

  it('refuses with a code and a path', async () => {
    await start({ SEGMENTATION_SEGMENTS_MAX: '1' })
    expect(await system.call('POST', '/api/segments', { name: 'x', rule: { any: [{ sequence: {} }] } })).toMatchObject({ status: 422, body: { code: 'LEAF_NOT_AVAILABLE', faults: [{ at: '/any/0/sequence' }] } })
    expect(await system.call('POST', '/api/segments', { name: 'x', rule: { did: {} } })).toMatchObject({ status: 400, body: { code: 'RULE_INVALID' } })
    expect(await system.call('GET', '/api/segments/none/members')).toMatchObject({ status: 404 })
    await create({ did: { event: 'A' } })
    expect(await system.call('POST', '/api/segments', { name: 'y', rule: { did: { event: 'A' } } })).toMatchObject({ status: 422, body: { code: 'SEGMENT_BOUND' } })
    expect(await system.statusWithoutKey('/api/segments')).toBe(401)
  })
})
