import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore, writeFileClock } from '@millrace/adapters'
import { createProjects } from '@millrace/service-kit'
import { createEmbedded } from '@millrace/wiring'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, startMillrace, type Millrace } from '../support/millrace.ts'
import { root } from '../tidy/source-tree.ts'

const START = Date.UTC(2026, 0, 10, 9)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const PEOPLE = 30
const VIEWS = ['events', 'people', 'identities', 'segments', 'memberships', 'flips', 'ledger']

type Sent = Readonly<Record<string, unknown>>

/** Runs a command of the product as a user does. */
const run = (program: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'packages/up/dist', program, 'main.js'), ...args], { env: { ...process.env, UV_THREADPOOL_SIZE: '16' } })
    const printed: string[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void printed.push(String(chunk)))
    child.once('error', reject)
    child.once('exit', (code) => resolve({ code: code ?? -1, output: printed.join('') }))
  })

/** One day of a small shop: devices that sign in, orders, a device of two users, late and repeated events, bad ones. */
const eventsOf = (round: number, now: number): readonly Sent[] =>
  Array.from({ length: PEOPLE }, (_, person) => {
    const [user, device] = [`u-${person}`, `d-${person % 20}`]
    const event = (name: string, minutes: number, more: Sent): Sent => ({
      type: 'track', messageId: `${round}-${person}-${name}`, event: name, timestamp: new Date(now - minutes * MINUTE).toISOString(), ...more,
    })
    return [
      event('Product Viewed', 30, { anonymousId: device, properties: { name: '龙井', price: 10 + person, tags: ['tea', `t${round}`] } }),
      ...(person % 3 === round % 3 ? [{ ...event('identify', 20, { userId: user, anonymousId: device, traits: { plan: person % 2 ? 'pro' : 'free', round } }), type: 'identify' }] : []),
      ...(person % 4 === 0 ? [event('Order Completed', 10, { userId: user, properties: { order_id: `o-${round}-${person}`, revenue: 19.9 + person, currency: 'CNY' } })] : []),
      ...(person % 7 === 0 ? [event('late', 9 * DAY / MINUTE, { anonymousId: device })] : []),
      ...(person % 11 === 0 ? [{ ...event('alias', 5, { userId: user, previousId: `old-${person}` }), type: 'alias' }] : []),
      ...(person % 13 === 0 ? [{ type: 'track', messageId: `${round}-${person}-bad`, anonymousId: device }] : []),
    ]
  }).flat()

describe('a replay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-replay-'))
  const clock = join(folder, 'clock')
  const at = (name: string): string => join(folder, name)
  let now = START
  let millrace: Millrace

  const start = async (name: string): Promise<Millrace> => (millrace = await startMillrace({ dataDir: at(name), env: { MILLRACE_TEST_CLOCK: clock } }))
  const advance = (ms: number): void => writeFileClock(clock, (now += ms))
  const send = async (events: readonly Sent[]): Promise<void> => {
    for (let from = 0; from < events.length; from += 20) expect((await millrace.send(events.slice(from, from + 20))).ok).toBe(true)
  }
  const toOther = (path: string, body: unknown): Promise<Response> =>
    fetch(millrace.url + path, { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer other-api-key' }, body: JSON.stringify(body) })
  /** A second tenant, with days of its own; the command line makes only the first. */
  const makeOther = async (name: string): Promise<void> => {
    const ports = await createEmbedded({ dataDir: at(name) })
    await createProjects(ports).create({ name: 'other', zone: 'Asia/Shanghai', currency: 'CNY', writeKey: 'other-write-key', apiKey: 'other-api-key' })
    await ports.close()
  }
  const segment = async (name: string, rule: unknown): Promise<string> => (await millrace.api<{ id: string }>('/api/segments', { name, rule })).id
  const live = async (id: string): Promise<unknown> => eventually(() => millrace.api<{ state: string }>(`/api/segments/${id}`), ({ state }) => state === 'live')
  const command = (op: string, a: string, b: string): Promise<unknown> =>
    millrace.api('/api/identity/commands', { op, a: { type: 'user_id', value: a }, b: { type: b.startsWith('d-') ? 'anonymous_id' : 'user_id', value: b } })

  beforeAll(() => writeFileClock(clock, now))
  afterAll(async () => {
    await millrace?.kill()
    rmSync(folder, { recursive: true, force: true })
  })

  it('makes the same of the same log, to the last column of every view, over a kill in the middle (P5)', async () => {
    await start('a')
    await live(await segment('viewed within the hour', { did: { event: 'Product Viewed', measure: 'count', op: 'gte', value: 1, window: { last: '1h' } } }))
    await send(eventsOf(0, now))
    await command('merge', 'u-0', 'u-1')
    advance(40 * MINUTE)
    await send(eventsOf(0, START))
    await send(eventsOf(1, now))
    await millrace.kill()
    await makeOther('a')
    await start('a')
    const rule = { did: { event: 'Product Viewed', measure: 'distinct-days', op: 'gte', value: 2, window: { last: '7d' } } }
    expect((await toOther('/api/segments', { name: 'came back', rule })).status).toBe(201)
    expect((await toOther('/v1/batch', { writeKey: 'other-write-key', batch: eventsOf(0, now).slice(0, 40) })).ok).toBe(true)
    advance(3 * HOUR)
    const buyers = await segment('buyers on a plan', { all: [
      { did: { event: 'Order Completed', measure: 'sum', property: 'revenue', op: 'gte', value: 30, window: { last: '7d' } } },
      { not: { profile: { trait: 'plan', op: 'eq', value: 'pro' } } },
    ] })
    await send(eventsOf(2, now))
    await live(buyers)
    await command('unlink', 'u-0', 'u-1')
    await command('unlink', 'u-4', 'd-4')
    advance(DAY)
    await send(eventsOf(3, now))
    expect((await toOther('/v1/batch', { writeKey: 'other-write-key', batch: eventsOf(1, now).slice(0, 40) })).ok).toBe(true)
    await millrace.api(`/api/segments/${buyers}`, { name: 'buyers', rule: { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 2, window: { last: '7d' } } } }, 'PUT')
    await live(buyers)
    advance(2 * HOUR)
    await eventually(
      () => millrace.sql<{ cause: string }>('SELECT DISTINCT cause FROM millrace.flips'),
      (rows) => ['event', 'time', 'backfill', 'merge'].every((cause) => rows.some((row) => row.cause === cause)),
    )

    const held = await run('replay', '--from', at('a'), '--to', at('b'))
    expect(held).toMatchObject({ code: 1, output: expect.stringContaining('is in use by another Millrace') as string })
    expect(await millrace.stop()).toBe(0)

    const replayed = await run('replay', '--from', at('a'), '--to', at('b'))
    expect(replayed).toMatchObject({ code: 0, output: expect.stringContaining('Replayed') as string })
    const compared = await run('diff', at('a'), at('b'))
    expect(compared).toMatchObject({ code: 0, output: expect.stringContaining('\n0 differing rows\n') as string })
    for (const view of VIEWS) expect(compared.output).toMatch(new RegExp(`^${view} +[1-9]\\d* +[1-9]\\d* +0$`, 'm'))

    const again = await run('replay', '--from', at('a'), '--to', at('b'))
    expect(again).toMatchObject({ code: 1, output: expect.stringContaining('is not empty') as string })
  })

  it('is seen to differ when one byte of one row was changed', async () => {
    const columns = createChdbStore({ path: join(at('b'), 'warehouse'), clients: 1 })
    await columns.command("ALTER TABLE millrace_store.events UPDATE strs = mapUpdate(strs, map('name', '龙丼')) WHERE project = 1 AND message_id = '1-5-Product Viewed' SETTINGS mutations_sync = 2")
    await columns.close()
    const compared = await run('diff', at('a'), at('b'))
    expect(compared).toMatchObject({ code: 1, output: expect.stringContaining('Compared') as string })
    expect(compared.output).toMatch(/^events +\d+ +\d+ +1$/m)
    expect(compared.output).toContain('properties in B: "{\\"name\\":\\"龙丼\\"')
    expect(compared.output).toMatch(/\n1 differing rows\n$/)
  })

  it('replays a folder that was killed with work under way, and one can go on with what it made', async () => {
    writeFileClock(clock, now)
    await start('killed')
    await send(eventsOf(0, now))
    const buyers = await segment('buyers', { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 1, window: 'ever' } })
    await send(eventsOf(1, now))
    await millrace.kill()
    const replayed = await run('replay', '--from', at('killed'), '--to', at('again'))
    expect(replayed).toMatchObject({ code: 0, output: expect.stringContaining('Replayed') as string })
    const compared = await run('diff', at('killed'), at('again'))
    expect(compared).toMatchObject({ code: 0, output: expect.stringContaining('\n0 differing rows\n') as string })

    await start('again')
    await live(buyers)
    const before = await millrace.sql<{ n: string }>('SELECT toString(count()) AS n FROM millrace.memberships')
    await send([{ type: 'track', messageId: 'new', userId: 'nobody-yet', event: 'Order Completed' }, ...eventsOf(1, now)])
    await eventually(() => millrace.sql<{ n: string }>('SELECT toString(count()) AS n FROM millrace.memberships'), ([row]) => Number(row!.n) === Number(before[0]!.n) + 1)
    expect(await millrace.stop()).toBe(0)
  })

  it('refuses a folder that is none of Millrace', async () => {
    writeFileSync(at('file'), '')
    expect(await run('replay', '--from', at('nowhere'), '--to', at('c'))).toMatchObject({ code: 1, output: expect.stringContaining('is no data folder of Millrace') as string })
    expect(await run('diff', at('a'), at('nowhere'))).toMatchObject({ code: 2, output: expect.stringContaining('is no data folder of Millrace') as string })
    expect(await run('replay', '--from', at('a'), '--to', join(at('a'), 'inside'))).toMatchObject({ code: 1 })
  })
})
