import { Analytics } from '@segment/analytics-node'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/millrace.ts'
import { millraceForAll, type Start } from '../../support/running.ts'

interface Profile {
  readonly personId: string
  readonly identities: readonly { readonly type: string; readonly value: string }[]
}
interface Funnel {
  readonly steps: readonly { readonly event: string; readonly people: number }[]
  readonly definition: { readonly sql: string; readonly freshness: unknown; readonly exact: boolean; readonly zone: string }
}

/** The main job, on whatever `start` gives: an instance, or a project, without events. */
export const mainJob = (start?: Start): unknown => describe('from an SDK to a profile, a segment and a number', () => {
  const running = millraceForAll(start)

  it('makes one buyer of an anonymous visit, an identify and two orders, everywhere', async () => {
    const { millrace } = running
    const segment = await millrace.api<{ id: string }>('/api/segments', {
      name: 'bought twice in 30 days',
      rule: { all: [{ did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 2, window: { last: '30d' } } }] },
    })
    await eventually(() => millrace.api<{ state: string }>(`/api/segments/${segment.id}`), ({ state }) => state === 'live')

    const analytics = new Analytics({ writeKey: millrace.writeKey, host: millrace.url, flushAt: 4, flushInterval: 10 })
    analytics.track({ anonymousId: 'a-1', event: 'Product Viewed', properties: { name: '龙井' } })
    analytics.identify({ anonymousId: 'a-1', userId: 'u-1', traits: { name: '小明', plan: 'pro' } })
    analytics.track({ userId: 'u-1', event: 'Order Completed', properties: { order_id: 'o-1', revenue: 100.1, currency: 'CNY' } })
    analytics.track({ userId: 'u-1', event: 'Order Completed', properties: { order_id: 'o-2', revenue: 200.2, currency: 'CNY' } })
    await analytics.closeAndFlush()

    const profile = await eventually(
      () => millrace.api<Profile>('/api/profiles?userId=u-1'),
      ({ identities }) => identities.length === 2,
    )
    expect(profile.identities.map(({ type, value }) => `${type}:${value}`).sort()).toEqual(['anonymous_id:a-1', 'user_id:u-1'])
    // Over Kafka the home's word to the person and its own state are not one transaction: either may be seen first.
    await eventually(() => millrace.api<Profile>('/api/profiles?anonymousId=a-1'), ({ personId }) => personId === profile.personId)
    expect(JSON.stringify(profile)).toContain('300.3')

    const members = await eventually(
      () => millrace.api<{ members: { personId: string }[] }>(`/api/segments/${segment.id}/members`),
      (answer) => answer.members.length === 1,
    )
    expect(members.members[0]!.personId).toBe(profile.personId)

    const today = new Date().toISOString().slice(0, 10)
    const funnel = await eventually(
      () =>
        millrace.api<Funnel>('/api/metrics/funnel', {
          steps: [{ event: 'Product Viewed' }, { event: 'Order Completed' }],
          window: '7d',
          order: 'ordered',
          from: today,
          to: today,
        }),
      ({ steps }) => steps[1]?.people === 1,
    )
    expect(funnel.steps).toEqual([
      { event: 'Product Viewed', people: 1 },
      { event: 'Order Completed', people: 1 },
    ])
    expect(funnel.definition).toMatchObject({ exact: true, zone: 'UTC' })

    const rows = await millrace.sql<{ people: string; revenue: string }>('SELECT uniqExact(person_id) AS people, toString(sum(revenue)) AS revenue FROM millrace.events')
    expect(rows).toEqual([{ people: 1, revenue: '300.3' }])
  })

  it('names in each row the request that brought it, as the answer did, and the proxy before it', async () => {
    const { millrace } = running
    const track = (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
      fetch(`${millrace.url}/v1/track`, { method: 'POST', headers: { ...headers, authorization: `Basic ${btoa(`${millrace.writeKey}:`)}` }, body: JSON.stringify(body) })
    const answers = await Promise.all([
      track({ event: 'Traced', messageId: 'traced-1', userId: 'u-traced' }, { 'x-request-id': 'proxy-7f3a' }),
      track({ event: 'Traced', messageId: 'traced-2', userId: 'u-traced' }, { 'x-request-id': 'no "id"' }),
      track({ messageId: 'traced-3', userId: 'u-traced' }),
    ])
    const [given, made, refused] = answers.map((answer) => answer.headers.get('x-request-id')!)
    expect([given, ...answers.map(({ status }) => status)]).toEqual(['proxy-7f3a', 200, 200, 400])
    await eventually(() => millrace.sql("SELECT message_id, request_id FROM millrace.events WHERE event = 'Traced' ORDER BY message_id"), (rows) => rows.length === 2)
      .then((rows) => expect(rows).toEqual([{ message_id: 'traced-1', request_id: given }, { message_id: 'traced-2', request_id: made }]))
    const kept = await eventually(() => millrace.api<{ rejected: { requestId: string }[] }>('/api/rejected'), ({ rejected }) => rejected.length > 0)
    expect(kept.rejected[0]!.requestId).toBe(refused)
  })
})
