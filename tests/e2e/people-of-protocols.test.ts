import { expect, it } from 'vitest'
import { settledLedger } from '../support/ledger.ts'
import { eventually, WRITE_KEY } from '../support/millrace.ts'
import { millraceForAll } from '../support/running.ts'

const running = millraceForAll()

/** How many persons some keys are, and what they are known by. */
const peopleOf = async (values: readonly string[]): Promise<readonly string[]> => {
  const rows = await running.millrace.sql<{ keys: string }>(
    `SELECT arrayStringConcat(arraySort(groupArray(concat(type, ':', value))), ' ') AS keys FROM identities WHERE value IN (${values.map((value) => `'${value}'`).join(', ')}) GROUP BY person_id`)
  return rows.map(({ keys }) => keys)
}

it('knows one person by all the ids that SDKs of Sensors, Snowplow and Countly have for them', async () => {
  const { millrace } = running
  const now = Date.now()
  const sensors = (type: string, distinctId: string, id: number, more: object = {}) =>
    ({ type, ...(type === 'track' ? { event: 'Seen' } : {}), distinct_id: distinctId, time: now - 60_000 + id, _track_id: id, properties: {}, ...more })
  // As an SDK of a server does it: the same id with and without a word of what it is, before and after the sign-up.
  const batch = [
    sensors('track', 's1', 1), sensors('track', 'a1', 2), sensors('track_signup', 's1', 3, { event: '$SignUp', original_id: 'a1' }), sensors('track', 's1', 4),
    sensors('track', 's1', 5, { properties: { $is_login_id: true } }), sensors('profile_set', 's1', 6, { properties: { level: 'gold' } }), sensors('item_set', '', 7, { distinct_id: undefined, item_type: 'product', item_id: 'p' }),
  ]
  const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) })
  const countly = (device: string, t: string, id: number, more: Record<string, string>) => form({ app_key: WRITE_KEY, device_id: device, t, timestamp: String(now - 60_000 + id), ...more })
  const snowplow = [{ e: 'pv', aid: WRITE_KEY, eid: 'e1', duid: 'w1' }, { e: 'se', se_ac: 'add', aid: WRITE_KEY, eid: 'e2', duid: 'w1', uid: 'w2' }]
  const requests: readonly (readonly [path: string, init: RequestInit])[] = [
    [`/sa?token=${WRITE_KEY}`, form({ data_list: Buffer.from(JSON.stringify(batch)).toString('base64') })],
    ['/i', countly('c1', '1', 1, { begin_session: '1' })], ['/i', countly('c2', '0', 2, { old_device_id: 'c1' })], ['/i', countly('c2', '0', 3, { user_details: '{"name":"Ada"}' })],
    ['/com.snowplowanalytics.snowplow/tp2', { method: 'POST', body: JSON.stringify({ data: snowplow }) }],
  ]
  for (const [path, init] of requests) expect((await fetch(millrace.url + path, init)).status).toBe(200)
  expect(await settledLedger(millrace, 13)).toMatchObject({ received: 13, rejected: 0, duplicate: 0 })
  await eventually(() => peopleOf(['s1', 'a1']), (people) => people.join() === 'anonymous_id:a1 anonymous_id:s1 user_id:s1')
  await eventually(() => peopleOf(['c1', 'c2']), (people) => people.join() === 'anonymous_id:c1 user_id:c2')
  await eventually(() => peopleOf(['w1', 'w2']), (people) => people.join() === 'anonymous_id:w1 user_id:w2')
  await eventually(() => millrace.api<{ traits: Record<string, unknown> }>('/api/profiles?userId=s1'), ({ traits }) => JSON.stringify(traits).includes('gold'))
  await eventually(() => millrace.sql<{ n: number }>('SELECT count() AS n FROM people'), (rows) => Number(rows[0]?.n) === 3)
})
