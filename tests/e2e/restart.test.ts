import { afterEach, describe, expect, it } from 'vitest'
import { settledLedger } from '../support/ledger.ts'
import { eventually, startMillrace, type Millrace } from '../support/millrace.ts'

let millrace: Millrace | undefined
afterEach(async () => {
  await millrace?.kill()
  millrace?.remove()
  millrace = undefined
})

const DAY_MS = 86_400_000
const day = (offset: number): string => new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10)

const visit = (person: number, at: string): readonly object[] => [
  { type: 'track', messageId: `view-${person}-${at}`, anonymousId: `a-${person}`, event: 'Product Viewed' },
  { type: 'identify', messageId: `identify-${person}-${at}`, anonymousId: `a-${person}`, userId: `u-${person}`, traits: { visit: at } },
  { type: 'track', messageId: `order-${person}-${at}`, userId: `u-${person}`, event: 'Order Completed', properties: { order_id: `o-${person}-${at}`, revenue: 10.5, currency: 'USD' } },
]
const send = async (at: Millrace, name: string): Promise<void> => {
  const answer = await at.send(Array.from({ length: 20 }, (_, person) => visit(person, name)).flat())
  expect(answer.status).toBe(200)
}

/** What there is to know, without what tells the moment of asking. */
const everything = async (at: Millrace, segment: string): Promise<unknown> => {
  const funnel = await at.api<{ steps: unknown }>('/api/metrics/funnel', { steps: [{ event: 'Product Viewed' }, { event: 'Order Completed' }], window: '7d', from: day(-1), to: day(0) })
  const { freshness: _, ...profile } = await at.api<Record<string, unknown>>('/api/profiles?anonymousId=a-3')
  const { members } = await at.api<{ members: unknown[] }>(`/api/segments/${segment}/members`)
  const tables = ['events ORDER BY message_id', 'people ORDER BY person_id', 'identities ORDER BY type, value', 'segments', 'memberships ORDER BY person_id', 'flips ORDER BY person_id, number', 'ledger ORDER BY source, hour']
  return { funnel: funnel.steps, profile, members, views: await Promise.all(tables.map((table) => at.sql(`SELECT * FROM ${table}`))) }
}

const settled = async (at: Millrace, segment: string, events: number): Promise<unknown> => {
  await settledLedger(at, events)
  await eventually(() => at.api<{ members: unknown[] }>(`/api/segments/${segment}/members`), ({ members }) => members.length === 20)
  // The people view follows by snapshots, the ledger view by counts of its own.
  await eventually(() => at.sql<{ visits: number; pending: number }>(
    `SELECT (SELECT count() FROM people WHERE JSONExtractString(traits, 'visit') = '${events === 60 ? 'first' : 'second'}' AND user_id != '' AND notEmpty(anonymous_ids)) AS visits, (SELECT sum(pending) + abs(sum(received) - ${events}) FROM ledger) AS pending`),
    ([row]) => Number(row!.visits) === 20 && Number(row!.pending) === 0)
  return everything(at, segment)
}

describe('a restart on the same folder', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('after %s keeps every answer, and goes on where it stood', async (signal) => {
    millrace = await startMillrace()
    const { id: segment } = await millrace.api<{ id: string }>('/api/segments', { name: 'bought', rule: { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 1, window: { last: '30d' } } } })
    await eventually(() => millrace!.api<{ state: string }>(`/api/segments/${segment}`), ({ state }) => state === 'live')
    await send(millrace, 'first')
    const before = await settled(millrace, segment, 60)
    if (signal === 'SIGTERM') expect(await millrace.stop()).toBe(0)
    else await millrace.kill()
    await expect(fetch(`${millrace.url}/readyz`)).rejects.toThrow('fetch failed')

    millrace = await startMillrace({ dataDir: millrace.dataDir })
    expect((await fetch(`${millrace.url}/readyz`)).status).toBe(200)
    expect(await settled(millrace, segment, 60)).toEqual(before)

    // What comes at the last moment before a kill, and is answered, is not lost either.
    await send(millrace, 'second')
    await millrace.kill()
    millrace = await startMillrace({ dataDir: millrace.dataDir })
    const after = (await settled(millrace, segment, 120)) as { profile: { orders: { count: number } } }
    expect(after.profile.orders.count).toBe(2)
  })
})
