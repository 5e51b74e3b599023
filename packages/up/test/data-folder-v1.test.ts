import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { cleanUp, newFolder, screenOf, start, until } from './child.ts'

const FIXTURE = fileURLToPath(new URL('../../../tests/fixtures/data-folder-v1.tar.gz', import.meta.url))

afterEach(cleanUp)

it('opens a data folder of version 1 with all that was in it, and goes on with it', async () => {
  const folder = await newFolder()
  execFileSync('tar', ['-xzf', FIXTURE, '-C', folder])
  const child = start(join(folder, 'data'))
  const { url, clickhouse, writeKey } = await screenOf(child)
  expect(writeKey).toBe('fixture-write-key')
  const ask = async (path: string): Promise<Record<string, unknown>> =>
    (await (await fetch(url + path, { headers: { authorization: 'Bearer fixture-api-key' } })).json()) as Record<string, unknown>
  const total = async (): Promise<unknown> => (await ask('/api/ledger'))['total']
  expect(await total()).toEqual({ received: 7, stored: 5, rejected: 1, duplicate: 1, erased: 0, pending: 0 })

  const profile = await ask('/api/profiles?anonymousId=a-1')
  expect(await ask('/api/profiles?userId=u-1')).toEqual(profile)
  expect(JSON.stringify(profile)).toContain('300.3')
  const { segments } = (await ask('/api/segments')) as { segments: readonly { id: string; name: string }[] }
  expect(segments.map(({ name }) => name)).toEqual(['bought twice'])
  const members = (await ask(`/api/segments/${segments[0]!.id}/members`)) as { members: readonly { personId: unknown }[] }
  expect(members.members.map(({ personId }) => personId)).toEqual([profile['personId']])

  const batch = ['o-3', 'o-4'].map((order_id) => ({ type: 'track', messageId: order_id, anonymousId: 'a-2', event: 'Order Completed', properties: { order_id, revenue: 1 } }))
  await fetch(`${url}/v1/batch`, { method: 'POST', body: JSON.stringify({ writeKey, batch }) })
  await until(async () => ((await total()) as { stored: number }).stored === 7, child)
  const sql = 'SELECT uniqExact(person_id), toString(sum(revenue)) FROM millrace.events FORMAT CSV'
  const answer = await fetch(clickhouse, { method: 'POST', body: sql, headers: { authorization: `Basic ${btoa('analyst:fixture-api-key')}` } })
  expect((await answer.text()).trim()).toBe('2,"302.3"')
})

it('has a fixture of less than one megabyte', () => {
  expect(readFileSync(FIXTURE).length).toBeLessThan(1_000_000)
})
