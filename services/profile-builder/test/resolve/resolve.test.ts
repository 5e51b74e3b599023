import type { MapLine, RejectedLine, ResolvedEventLine, ResolvedLine } from '@millrace/contracts'
import { decodeRecord, encodeRecord, partitionOfPerson, personIdOf, topics } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'
import { afterEach, describe, expect, it } from 'vitest'
import { keysOfPerson, lookupIdentity } from '../../src/identity/index.ts'
import { lookupKey } from '../../src/resolve/index.ts'
import { projectOf } from '../identity/simulation/history.ts'
import type { Fixture } from './embedded.ts'
import { commandRecord, eventRecords, openFixture, ORIGIN } from './embedded.ts'

const shop = projectOf({ types: [{ type: 'email', uniquePerPerson: true }] })
const other = projectOf({}, 2)
const at = (minute: number): string => new Date(ORIGIN.receivedAt - 3_600_000 + minute * 60_000).toISOString()

const visit = { type: 'page', name: 'Home', anonymousId: 'a1', messageId: 'm1', timestamp: at(1) }
const identify = { type: 'identify', userId: 'u1', anonymousId: 'a1', messageId: 'm2', timestamp: at(2), traits: { email: 'A@b.example' } }
const bought = { type: 'track', event: 'Order Completed', userId: 'u1', messageId: 'm3', timestamp: at(3), properties: { revenue: 5 } }

let fixture: Fixture
const open = async (): Promise<Fixture> => (fixture = await openFixture([shop, other]))
afterEach(async () => {
  expect(fixture.faults).toEqual([])
  await fixture.stop()
})

const send = async (...records: readonly NewRecord[]): Promise<void> => {
  await fixture.log.append(records)
  await fixture.drain()
}
const eventLines = async (): Promise<readonly ResolvedEventLine[]> =>
  (await fixture.lines<ResolvedLine>(topics.resolved.name)).filter((line) => line.type === 'event')

describe('resolve and identity on the embedded log', () => {
  it('give an anonymous past to the user who signs in', async () => {
    await open()
    await send(...eventRecords(shop, [visit]))
    await send(...eventRecords(shop, [identify, bought]))
    const person = personIdOf(1, 'user_id:u1')
    expect(await lookupKey(fixture.hot, 1, 'anonymous_id:a1')).toMatchObject({ person })
    expect(await lookupKey(fixture.hot, 1, 'user_id:u1')).toMatchObject({ person, epoch: 0 })
    expect(await keysOfPerson(fixture.hot, 1, person)).toEqual(['anonymous_id:a1', 'email:a@b.example', 'user_id:u1'])
    expect(await lookupIdentity(fixture.hot, 1, 'email:a@b.example')).toMatchObject({ person, number: null })
    const moves = (await fixture.lines<ResolvedLine>(topics.resolved.name)).filter((line) => line.type.startsWith('number.'))
    expect(moves.map((line) => line.type).sort()).toEqual(['number.expected', 'number.left'])
    const map = await fixture.lines<MapLine>(topics.map.name)
    const last = new Map(map.flatMap((line) => (line.type === 'number.mapped' ? [[line.key, line] as const] : [])))
    expect(last.get('anonymous_id:a1')).toMatchObject({ person, personNumber: last.get('user_id:u1')!.number, linkedAt: ORIGIN.receivedAt })
  })

  it('pass the own bytes of an event on, under its person and with its place', async () => {
    await open()
    await send(...eventRecords(shop, [bought]))
    const [line] = await eventLines()
    expect(line).toMatchObject({ key: 'user_id:u1', epoch: 0, person: personIdOf(1, 'user_id:u1'), event: bought, origin: 0 })
    expect(line!.number % 64).toBeGreaterThanOrEqual(0)
    const partition = partitionOfPerson(line!.person, topics.resolved.partitions)
    const records = await fixture.log.read(topics.resolved.name, partition, 0, { recordsMax: 9, bytesMax: 1e6 })
    expect(decodeRecord(records[0]!.value).header).toEqual({
      kind: 'resolved',
      project: 1,
      count: 1,
      origins: [{ ...ORIGIN, events: 1, repeats: 0 }],
    })
  })

  it('tell repeats for the ledger and pass none of them on, also over a restart (P2)', async () => {
    await open()
    await send(...eventRecords(shop, [bought]))
    await send(...eventRecords(shop, [bought]))
    fixture = await fixture.restart()
    await send(...eventRecords(shop, [bought], { ...ORIGIN, receivedAt: ORIGIN.receivedAt + 86_400_000 }))
    expect(await eventLines()).toHaveLength(1)
    let [events, repeats] = [0, 0]
    for (const { partition, next } of await fixture.log.extents(topics.resolved.name)) {
      for (const { value } of await fixture.log.read(topics.resolved.name, partition, 0, { recordsMax: next + 1, bytesMax: 1e6 })) {
        for (const origin of decodeRecord(value).header.origins) {
          if (!('repeats' in origin)) continue
          events += origin.events
          repeats += origin.repeats
        }
      }
    }
    expect([events, repeats]).toEqual([1, 2])
  })

  it('merge and unmerge two users on command', async () => {
    await open()
    const second = { ...bought, userId: 'u2', messageId: 'm9' }
    await send(...eventRecords(shop, [bought, second]))
    await send(commandRecord(shop, 'merge', 'user_id:u1', 'user_id:u2', ORIGIN.receivedAt + 1))
    const merged = await lookupKey(fixture.hot, 1, 'user_id:u2')
    expect((await lookupKey(fixture.hot, 1, 'user_id:u1'))!.person).toBe(merged!.person)
    expect(await keysOfPerson(fixture.hot, 1, merged!.person)).toEqual(['user_id:u1', 'user_id:u2'])
    await send(commandRecord(shop, 'unlink', 'user_id:u1', 'user_id:u2', ORIGIN.receivedAt + 2))
    for (const user of ['u1', 'u2']) {
      const person = personIdOf(1, `user_id:${user}`)
      expect((await lookupKey(fixture.hot, 1, `user_id:${user}`))!.person).toBe(person)
      expect(await keysOfPerson(fixture.hot, 1, person)).toEqual([`user_id:${user}`])
    }
  })

  it('keep the projects of one instance apart', async () => {
    await open()
    await send(...eventRecords(shop, [bought, identify]), ...eventRecords(other, [bought]))
    const [one, two] = await Promise.all([1, 2].map((id) => lookupKey(fixture.hot, id, 'user_id:u1')))
    expect(one!.person).not.toBe(two!.person)
    expect(await eventLines()).toHaveLength(3)
    expect(await keysOfPerson(fixture.hot, 2, two!.person)).toEqual(['user_id:u1'])
  })

  it('keep what cannot be read in events.rejected and go on', async () => {
    await open()
    const header = { kind: 'events', project: 1, count: 2, origins: [ORIGIN] } as const
    const broken = encodeRecord(header, ['{"type":', '{"type":"nothing","userId":"u1"}'])
    const unknown = encodeRecord({ ...header, project: 77, count: 1 }, [JSON.stringify(bought)])
    await send(
      { topic: topics.accepted.name, partition: 0, value: broken },
      { topic: topics.accepted.name, partition: 0, value: unknown },
      { topic: topics.accepted.name, partition: 0, value: Buffer.from('no record at all') },
    )
    await send(...eventRecords(shop, [bought]))
    const rejected = await fixture.lines<RejectedLine>(topics.rejected.name)
    expect(rejected.map((line) => line.code)).toEqual(['NOT_JSON', 'TYPE_UNKNOWN', 'PROJECT_NOT_FOUND', 'RECORD_UNREADABLE'])
    expect(Buffer.from(rejected[0]!.bytes, 'base64').toString()).toBe('{"type":')
    expect(await eventLines()).toHaveLength(1)
    expect(fixture.warnings.length).toBeGreaterThan(0)
  })

  it('go on behind whatever other software writes: half headers, lines that cannot be unpacked, control lines of nothing', async () => {
    await open()
    const header = { kind: 'events', project: 1, count: 3, origins: [ORIGIN] } as const
    const packed = encodeRecord(header, Array.from({ length: 3 }, () => 'x'.repeat(2_000)))
    packed.fill(0xff, packed.length - 10)
    const control = encodeRecord({ kind: 'control', project: 1, count: 0, origins: [] }, ['null', '[]', '{"type":"key.placed"}', '{"type":"identity.command","a":"x"}'])
    const values = [Buffer.alloc(0), encodeRecord({ kind: 'events', project: 1 } as never, ['{}']), encodeRecord(null as never, ['{}']), packed, control, Buffer.alloc(6_500_000, 'x')]
    for (const value of values) await send({ topic: topics.accepted.name, partition: 0, value })
    await send(...eventRecords(shop, [bought]))
    const rejected = await fixture.lines<RejectedLine>(topics.rejected.name)
    expect(rejected.map((line) => line.code)).toEqual(Array.from({ length: 3 + 3 + 4 + 1 }, () => 'RECORD_UNREADABLE'))
    expect(rejected.at(-1)!.detail).toContain('of 6500000 bytes are kept')
    expect(await eventLines()).toHaveLength(1)
  })

  it('send the backfilled state of a key where its events go, and tell every partition of the end', async () => {
    await open()
    await send(...eventRecords(shop, [visit]))
    await send(...eventRecords(shop, [identify]))
    const { number, epoch, person } = (await lookupKey(fixture.hot, 1, 'anonymous_id:a1'))!
    const [home] = eventRecords(shop, [visit])
    const lines = [
      { type: 'state.backfilled', key: 'anonymous_id:a1', number, segment: 's', version: 1, leaves: { a: 3 } },
      { type: 'backfill.completed', segment: 's', version: 1 },
    ].map((line) => JSON.stringify(line))
    await send({ ...home!, value: encodeRecord({ kind: 'control', project: 1, count: 0, origins: [] }, lines) })
    const resolved = await fixture.lines<ResolvedLine>(topics.resolved.name)
    expect(resolved.filter((line) => line.type === 'state.backfilled')).toEqual([
      { type: 'state.backfilled', key: 'anonymous_id:a1', number, segment: 's', version: 1, leaves: { a: 3 }, epoch, person },
    ])
    const ends = resolved.filter((line) => line.type === 'backfill.completed')
    expect(ends).toEqual(Array.from({ length: topics.resolved.partitions }, () => ({ type: 'backfill.completed', segment: 's', version: 1, from: home!.partition })))
  })
})
