import { afterEach, expect, it } from 'vitest'
import { settledLedger } from '../support/ledger.ts'
import { type Millrace, startMillrace, WRITE_KEY } from '../support/millrace.ts'

let millrace: Millrace | undefined
afterEach(async () => {
  await millrace?.kill()
  millrace?.remove()
  millrace = undefined
})

const now = Date.now() - 60_000
const json = (body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit => ({ method: 'POST', body: JSON.stringify(body), headers })
const form = (fields: Readonly<Record<string, string>>): RequestInit => ({ method: 'POST', body: new URLSearchParams(fields) })

/** Bodies as SDKs send them again after a network that broke: each with an operation that must not count twice. */
const requests: readonly (readonly [path: string, init: RequestInit, events: number])[] = [
  ['/v1/batch', json({ writeKey: WRITE_KEY, batch: [{ type: 'track', event: 'Order Completed', messageId: 's1', userId: 'segment', properties: { revenue: 10 } }] }), 1],
  [`/sa?token=${WRITE_KEY}`, form({ data_list: JSON.stringify([
    { type: 'track', event: 'Seen', distinct_id: 'sensors', time: now, _track_id: 1, properties: { $is_login_id: true } },
    { type: 'profile_increment', distinct_id: 'sensors', time: now + 1, _track_id: 2, properties: { visits: 2, $is_login_id: true } },
    { type: 'profile_append', distinct_id: 'sensors', time: now + 2, _track_id: 3, properties: { seen: ['p1'], $is_login_id: true } },
  ]) }), 3],
  ['/batch/', json({ api_key: WRITE_KEY, batch: [{ event: 'Seen', distinct_id: 'posthog', uuid: 'p1', timestamp: new Date(now).toISOString(), properties: { $is_identified: true } }] }), 1],
  ['/track', form({ data: JSON.stringify([{ event: 'Seen', properties: { token: WRITE_KEY, $user_id: 'mixpanel', $insert_id: 'm1', time: now / 1000 } }]) }), 1],
  ['/2/httpapi', json({ api_key: WRITE_KEY, events: [
    { event_type: 'Seen', user_id: 'amplitude', insert_id: 'a1', time: now },
    { event_type: '$identify', user_id: 'amplitude', insert_id: 'a2', time: now + 1, user_properties: { $add: { visits: 3 }, $append: { seen: 'p1' } } },
  ] }), 2],
  ['/com.snowplowanalytics.snowplow/tp2', json({ data: [{ e: 'se', se_ac: 'add', aid: WRITE_KEY, eid: 'e1', uid: 'snowplow', dtm: String(now) }] }), 1],
  ['/i', form({ app_key: WRITE_KEY, device_id: 'countly', t: '0', timestamp: String(now), events: JSON.stringify([{ key: 'Seen', count: 1, timestamp: now }]) }), 1],
]
const EVENTS = requests.reduce((sum, [, , events]) => sum + events, 0)

const sendAll = async ({ url }: Millrace): Promise<void> => {
  for (const [path, init] of requests) expect([path, (await fetch(url + path, init)).status]).toEqual([path, 200])
}

/** What a repeat would change. */
const outcome = async ({ sql, api }: Millrace): Promise<unknown> => {
  const traitsOf = async (user: string) => (await api<{ traits: Readonly<Record<string, unknown>> }>(`/api/profiles?userId=${user}`)).traits
  return { events: await sql('SELECT protocol, event, count() AS n, sum(revenue) AS revenue FROM events GROUP BY ALL ORDER BY protocol, event'), sensors: await traitsOf('sensors'), amplitude: await traitsOf('amplitude') }
}

it('counts what an SDK sends again once, by the key of its protocol, also behind a kill', async () => {
  millrace = await startMillrace()
  await sendAll(millrace)
  expect(await settledLedger(millrace, EVENTS)).toMatchObject({ received: EVENTS, stored: EVENTS, duplicate: 0, rejected: 0 })
  const first = await outcome(millrace)
  expect(first).toMatchObject({ sensors: { visits: 2, seen: ['p1'] }, amplitude: { visits: 3, seen: ['p1'] } })

  await sendAll(millrace)
  expect(await settledLedger(millrace, 2 * EVENTS)).toMatchObject({ stored: EVENTS, duplicate: EVENTS })
  expect(await outcome(millrace)).toEqual(first)

  await millrace.kill()
  millrace = await startMillrace({ dataDir: millrace.dataDir })
  await sendAll(millrace)
  expect(await settledLedger(millrace, 3 * EVENTS)).toMatchObject({ stored: EVENTS, duplicate: 2 * EVENTS })
  expect(await outcome(millrace)).toEqual(first)
})
