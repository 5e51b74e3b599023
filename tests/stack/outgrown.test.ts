import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClickHouseStore, writeFileClock } from '@millrace/adapters'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, startMillrace, type Millrace } from '../support/millrace.ts'
import { runProgram } from '../support/program.ts'
import { stackSkipped } from '../support/stack.ts'

const START = Date.UTC(2026, 4, 4, 9)
const HOUR = 3_600_000
const PEOPLE = 25

/** Visitors of whom some sign in and buy, one device of two users, an alias, repeats and a refused one. */
const eventsOf = (round: number, now: number): readonly object[] =>
  Array.from({ length: PEOPLE }, (_, person) => {
    const base = { timestamp: new Date(now - 60_000 * person).toISOString(), anonymousId: `d-${person % 20}` }
    return [
      { ...base, type: 'track', messageId: `${round}-${person}-view`, event: 'Product Viewed' },
      ...(person % 2 === 0 ? [{ ...base, type: 'identify', messageId: `${round}-${person}-id`, userId: `u-${person}`, traits: { plan: person % 4 ? 'pro' : 'free' } }] : []),
      ...(person % 3 === 0 ? [{ ...base, type: 'track', messageId: `${round}-${person}-order`, userId: `u-${person}`, event: 'Order Completed', properties: { revenue: 9.9 + person, currency: 'USD' } }] : []),
      ...(person % 10 === 0 ? [{ type: 'alias', messageId: `${round}-${person}-alias`, userId: `u-${person}`, previousId: `old-${person}` }, { type: 'track', messageId: `${round}-${person}-bad`, userId: 'u' }] : []),
    ]
  }).flat()

describe.skipIf(stackSkipped('a folder that becomes a stack'))('one process that was outgrown', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-outgrown-'))
  const [clock, one] = [join(folder, 'clock'), join(folder, 'one')]
  let stack: Millrace
  const diff = (): ReturnType<typeof runProgram> => runProgram('diff/main.js', [one, stack.dataDir])
  const count = (where: string) => stack.sql<{ n: number }>(`SELECT toUInt32(count()) AS n FROM millrace.events WHERE ${where}`).then(([row]) => row!.n)

  beforeAll(async () => {
    writeFileClock(clock, START)
    const env = { MILLRACE_TEST_CLOCK: clock }
    const millrace = await startMillrace({ wiring: 'embedded', dataDir: one, env })
    try {
      const { id } = await millrace.api<{ id: string }>('/api/segments', { name: 'bought twice', rule: { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 2, window: { last: '7d' } } } })
      await eventually(() => millrace.api<{ state: string }>(`/api/segments/${id}`), ({ state }) => state === 'live')
      for (const round of [0, 1]) {
        writeFileClock(clock, START + round * HOUR)
        expect((await millrace.send(eventsOf(round, START + round * HOUR))).ok).toBe(true)
        expect((await millrace.send(eventsOf(0, START))).ok).toBe(true)
      }
      await millrace.api('/api/identity/commands', { op: 'merge', a: { type: 'user_id', value: 'u-2' }, b: { type: 'user_id', value: 'u-4' } })
      // Killed: what it has not handled yet must come along, too.
    } finally {
      await millrace.kill()
    }
    stack = await startMillrace({ wiring: 'stack', dataDir: join(folder, 'stack'), env, args: ['--from', one] })
  })
  afterAll(async () => {
    // Its engines write until they have ended, which a kill of the launcher does not wait for.
    await stack?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is a stack with the same rows, to the last column of every view, under the same keys', async () => {
    const compared = await diff()
    expect(compared).toMatchObject({ code: 0, text: expect.stringContaining('\n0 differing rows\n') as string })
    for (const view of ['events', 'people', 'identities', 'segments', 'memberships', 'flips', 'ledger']) expect(compared.text).toMatch(new RegExp(`^${view} +[1-9]\\d* +[1-9]\\d* +0$`, 'm'))
  })

  it('goes on where it stood: repeats are known, a person bought for the second time enters', async () => {
    const before = await count('1')
    writeFileClock(clock, START + 2 * HOUR)
    expect((await stack.send([...eventsOf(1, START + HOUR), { type: 'track', messageId: 'later', userId: 'u-3', event: 'Product Viewed' }])).ok).toBe(true)
    await eventually(() => count("message_id = 'later'"), (n) => n === 1)
    expect(await count('1')).toBe(before + 1)
    const profile = await stack.api<{ identities: { value: string }[] }>('/api/profiles?userId=u-2')
    expect(profile.identities.map(({ value }) => value)).toEqual(expect.arrayContaining(['u-2', 'u-4']))
  })

  it('is not filled a second time, nor while its services run', async () => {
    const { engines } = JSON.parse(readFileSync(join(stack.dataDir, 'addresses.json'), 'utf8')) as { engines: Record<string, string | string[]> }
    const again = await runProgram('replay/main.js', ['--from', one, '--to', 'stack'], Object.fromEntries(Object.entries(engines).map(([name, value]) => [name, [value].flat().join(',')])))
    expect(again).toMatchObject({ code: 1, text: expect.stringContaining('Services of the stack run') as string })
  })

  it('has a month of aggregates made anew while metrics is away, and not before', async () => {
    const { engines } = JSON.parse(readFileSync(join(stack.dataDir, 'addresses.json'), 'utf8')) as { engines: { CLICKHOUSE_URL: string; CLICKHOUSE_USER: string; CLICKHOUSE_PASSWORD: string } }
    const columns = createClickHouseStore({ url: engines.CLICKHOUSE_URL, username: engines.CLICKHOUSE_USER, password: engines.CLICKHOUSE_PASSWORD })
    await columns.command("INSERT INTO millrace_store.event_day SELECT 1, 'never', toDate('2026-05-04'), false, 'USD', groupBitmapState(toUInt32(64)), 1, toDecimal128('0', 4)")
    await columns.close()
    const rebuild = (): ReturnType<typeof runProgram> => runProgram('ops/main.js', ['rebuild', '--month', '2026-05', '--data-dir', stack.dataDir])
    expect(await rebuild()).toMatchObject({ code: 1, text: expect.stringContaining('metrics runs and stores events') as string })
    const pid = stack.processes()['metrics-0']!
    process.kill(pid, 'SIGSTOP')
    expect((await stack.send([{ type: 'track', messageId: 'meanwhile', userId: 'u-3', event: 'Product Viewed' }])).ok).toBe(true)
    const rebuilt = await eventually(rebuild, ({ code }) => code === 0)
    expect(rebuilt.text).toContain('Rebuilt 2026-05 of 1 project: 1 rows differed from the raw events, now 0.')
    process.kill(pid, 'SIGKILL')
    await eventually(() => count("message_id = 'meanwhile'"), (n) => n === 1)
    expect((await stack.api<{ balanced: boolean }>('/api/ledger?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z')).balanced).toBe(true)
  })
})
