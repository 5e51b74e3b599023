import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { LiveOverview } from '@millrace/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { metricsConfig, type Ledger } from '../src/index.ts'
import { storedView } from '../src/live/stored-view.ts'
import { openSystem, type System } from './system.ts'

const HOUR = 3_600_000
const AT = Date.UTC(2024, 0, 5, 10)

let messages = 0
const event = (user: number, name: string, more: object = {}): object => ({
  type: 'track', event: name, userId: `u${user}`, messageId: `m${messages++}`, timestamp: new Date(AT - 60_000).toISOString(), ...more,
})

describe('metrics', () => {
  let system: System
  beforeAll(async () => {
    system = await openSystem()
    await system.app.listen({ port: 0, host: '127.0.0.1' })
  })
  afterAll(() => system.close())

  const ledger = async (query = ''): Promise<Ledger> => (await system.ask('GET', `/api/ledger${query}`)).body as Ledger

  it('balances the ledger before and after resolve has passed events on (P3)', async () => {
    await system.accept([event(1, 'Viewed'), event(2, 'Viewed'), event(1, 'Bought', { properties: { revenue: 9.5, size: 'L', n: 2 } })], AT)
    await system.accept([event(3, 'Viewed'), event(3, 'Viewed', { repeat: true })], AT + HOUR, 'till')
    await system.reject('NOT_JSON', AT)
    await system.reject('TOO_OLD', AT + 5)
    await system.metrics.drain()
    const before = await ledger()
    expect(before.total).toEqual({ received: 7, stored: 0, rejected: 2, duplicate: 0, erased: 0, pending: 5 })
    expect(before.balanced).toBe(true)
    await system.resolve()
    await system.metrics.drain()
    const after = await ledger()
    expect(after.total).toEqual({ received: 7, stored: 4, rejected: 2, duplicate: 1, erased: 0, pending: 0 })
    expect(after.rows.map(({ source, hour, balanced, received }) => [source, hour, balanced, received])).toEqual([
      ['web', '2024-01-05T10:00:00.000Z', true, 5],
      ['till', '2024-01-05T11:00:00.000Z', true, 2],
    ])
    expect((await ledger('?from=2024-01-05T11:00:00Z')).total.received).toBe(2)
    const view = await system.columns.query('SELECT source, toUInt32(received) AS r, toUInt32(stored) AS s, toUInt32(rejected) AS x, toUInt32(duplicate) AS d, toUInt32(pending) AS p FROM millrace.ledger ORDER BY hour')
    expect(view).toEqual([
      { source: 'web', r: 5, s: 3, x: 2, d: 0, p: 0 },
      { source: 'till', r: 2, s: 1, x: 0, d: 1, p: 0 },
    ])
  })

  it('answers trends, retention and funnels with their definition (P7)', async () => {
    const span = { from: '2024-01-05', to: '2024-01-06' }
    const trends = await system.ask('POST', '/api/metrics/trends', { events: [{ event: 'Viewed' }], measure: 'people', ...span })
    expect(trends).toMatchObject({
      status: 200,
      body: {
        series: [{ event: 'Viewed', points: [{ at: '2024-01-05', value: 3 }, { at: '2024-01-06', value: 0, complete: false }] }],
        definition: {
          question: { measure: 'people', interval: 'day', zone: 'UTC', events: [{ event: 'Viewed', where: [] }] },
          zone: 'UTC', exact: true, readFrom: 'aggregates', freshness: { newestReceivedAt: '2024-01-05T11:00:00.000Z', mapVersion: 0 },
        },
      },
    })
    const funnel = await system.ask('POST', '/api/metrics/funnel', { steps: [{ event: 'Viewed' }, { event: 'Bought', where: [{ property: 'revenue', op: 'gte', value: 9 }] }], ...span })
    expect(funnel.body).toMatchObject({ steps: [{ event: 'Viewed', people: 3 }, { event: 'Bought', people: 1 }], complete: false })
    const retention = await system.ask('POST', '/api/metrics/retention', { start: { event: '*' }, return: { event: '*' }, periods: 1, ...span })
    expect(retention.body).toMatchObject({ cohorts: [{ at: '2024-01-05', size: 3, returned: [3, 0], complete: [false, false] }] })
    const money = await system.ask('POST', '/api/metrics/trends', {
      events: [{ event: '*' }], measure: 'average', property: 'revenue', interval: 'month', breakdown: { property: 'size' }, ...span,
    })
    expect(money.body).toMatchObject({ series: [{ group: 'L', points: [{ at: '2024-01-01', value: '9.5' }] }] })
    const sum = await system.ask('POST', '/api/metrics/trends', { events: [{ event: 'Bought' }], measure: 'sum', property: 'n', interval: 'hour', ...span })
    const points = (sum.body as { series: { points: { at: string; value: number }[] }[] }).series[0]!.points
    expect(points.length).toBe(48)
    expect(points[9]).toEqual({ at: '2024-01-05T09:00:00.000Z', value: 2, complete: true })
  })

  it('refuses a question that it does not understand, with what is wrong', async () => {
    const answer = await system.ask('POST', '/api/metrics/funnel', { steps: [{ event: 'a' }], window: '7 days', from: '2024-13-01', to: '2024-01-01', limit: 3 })
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ code: 'QUESTION_INVALID' })
    expect((answer.body as { faults: { at: string }[] }).faults.map(({ at }) => at)).toEqual(expect.arrayContaining(['steps', 'window', 'from']))
    expect((await system.app.inject({ method: 'GET', url: '/api/ledger' })).statusCode).toBe(401)
  })

  it('reads a zone in any capitals, and refuses one that the column store does not know', async () => {
    const ask = (zone: string) => system.ask('POST', '/api/metrics/trends', { events: [{ event: 'Viewed' }], from: '2024-01-05', to: '2024-01-05', zone })
    expect(await ask('utc')).toMatchObject({ status: 200, body: { definition: { zone: 'UTC', readFrom: 'aggregates' } } })
    expect(await ask('asia/shanghai')).toMatchObject({ status: 200, body: { definition: { zone: 'Asia/Shanghai' } } })
    expect(await ask('Asia/Kolkata')).toMatchObject({ status: 200, body: { definition: { zone: 'Asia/Kolkata' } } })
    expect(await ask('US/Pacific-New')).toMatchObject({ status: 400, body: { code: 'QUESTION_INVALID' } })
  })

  it('does not work out cells of cohorts that nobody is in', async () => {
    const answer = await system.ask('POST', '/api/metrics/retention', { start: { event: '*' }, return: { event: '*' }, periods: 100, from: '2000-01-01', to: '2105-12-31' })
    expect(answer.body).toMatchObject({ cohorts: [{ at: '2024-01-05', size: 3 }] })
  })

  it('counts two numbers as one person when the map joins them, in aggregates and in events (P6)', async () => {
    await system.map(1, 1, 1)
    await system.map(2, 1, 2)
    await system.metrics.drain()
    const people = async (zone: string): Promise<unknown> => {
      const answer = await system.ask('POST', '/api/metrics/trends', { events: [{ event: 'Viewed' }], measure: 'people', from: '2024-01-05', to: '2024-01-05', zone })
      return (answer.body as { series: { points: { value: number }[] }[] }).series[0]!.points[0]!.value
    }
    expect([await people('UTC'), await people('Europe/London')]).toEqual([2, 2])
  })

  it('shows what came in last, and a project only what is its own', async () => {
    const overview = (await system.ask('GET', '/api/overview')).body as LiveOverview
    expect(overview).toMatchObject({ people: 1, stored: 4, refusedTotal: 2, newestReceivedAt: '2024-01-05T11:00:00.000Z' })
    expect(overview.events.length).toBe(4)
    // As a copy would tell it that has read a part of them only.
    const newest = Date.parse(overview.newestReceivedAt!)
    const stored = await storedView(system.columns, 1, newest + 10_000)
    const bare = ({ events }: Pick<LiveOverview, 'events'>) => events.map((event) => ({ ...event, personId: '' })).sort((a, b) => a.messageId.localeCompare(b.messageId))
    expect(bare(stored)).toEqual(bare(overview))
    expect(stored).toMatchObject({ newestReceivedAt: overview.newestReceivedAt, refused: overview.refused })
    const within = (seconds: number): number => overview.events.filter(({ receivedAt }) => Date.parse(receivedAt) >= newest + 10_000 - seconds * 1000).length
    expect([stored.seconds.reduce((sum, [, events]) => sum + events, 0), stored.byEvent.reduce((sum, { events }) => sum + events, 0)]).toEqual([within(60), within(300)])
    expect(within(60)).toBeGreaterThan(0)
    expect(overview.refused.map(({ code }) => code)).toEqual(['TOO_OLD', 'NOT_JSON'])
    expect((await system.ask('GET', '/api/overview', undefined, 'mk_other')).body).toMatchObject({ stored: 0, events: [], refused: [] })
    expect(((await system.ask('GET', '/api/ledger', undefined, 'mk_other')).body as Ledger).rows).toEqual([])
  })

  it('lists events, their properties, and refused events by pages', async () => {
    expect((await system.ask('GET', '/api/catalogue')).body).toMatchObject({ events: [{ event: 'Viewed', events: 3 }, { event: 'Bought', events: 1 }], complete: true })
    expect((await system.ask('GET', '/api/catalogue?event=Bought')).body).toMatchObject({
      properties: [{ property: 'n', type: 'number' }, { property: 'revenue', type: 'number' }, { property: 'size', type: 'text' }],
    })
    const first = (await system.ask('GET', '/api/rejected?limit=1')).body as { rejected: { code: string }[]; next: string }
    const second = (await system.ask('GET', `/api/rejected?limit=1&before=${first.next}`)).body as typeof first
    expect([first.rejected[0]?.code, second.rejected[0]?.code, second.next]).toEqual(['TOO_OLD', 'NOT_JSON', null])
  })

  it('keeps the ledger balanced at every reading while events flow', async () => {
    const flowing = new AbortController()
    const flow = (async () => {
      for (let batch = 0; batch < 150; batch++) {
        await system.accept(Array.from({ length: 20 }, (_, index) => event(index, 'Viewed', index % 7 === 0 ? { repeat: true } : {})), AT + batch * 60_000)
        if (batch % 9 === 0) await system.reject('NOT_JSON', AT + batch * 60_000)
      }
      flowing.abort()
    })()
    let readings = 0
    let pending = 0
    while (!flowing.signal.aborted) {
      const { balanced, total, rows } = await ledger()
      expect(rows.filter((row) => !row.balanced)).toEqual([])
      expect(balanced).toBe(true)
      if (total.pending > 0) pending++
      readings++
    }
    await flow
    await system.resolve()
    await system.metrics.drain()
    const { balanced, total } = await ledger()
    expect([balanced, total.pending, total.received]).toEqual([true, 0, 7 + 150 * 20 + 17])
    process.stdout.write(`ledger: ${readings} readings while events flowed, ${pending} of them with events in the lag, all balanced\n`)
    expect(system.faults).toEqual([])
  })

  it('pushes the overview to a page when something changed, and no more often than it may', async () => {
    const { port } = system.app.server.address() as { port: number }
    const answer = await fetch(`http://127.0.0.1:${port}/api/live`, { headers: { authorization: 'Bearer mk_test' } })
    expect(answer.headers.get('content-type')).toContain('text/event-stream')
    const seen: LiveOverview[] = []
    const reader = answer.body!.getReader()
    const read = async (until: (overview: LiveOverview) => boolean): Promise<void> => {
      for (let text = ''; ; ) {
        const { value, done } = await reader.read()
        if (done) return
        text += Buffer.from(value).toString()
        const parts = text.split('\n\n')
        text = parts.pop()!
        for (const part of parts) if (part.startsWith('event: overview')) seen.push(JSON.parse(part.split('data: ')[1]!) as LiveOverview)
        if (seen.length > 0 && until(seen.at(-1)!)) return
      }
    }
    await read(() => true)
    const startedAt = performance.now()
    for (let batch = 0; batch < 10; batch++) await system.accept([event(7, `Live ${batch}`)], Date.now())
    await read(({ events }) => events.some(({ event: name }) => name === 'Live 9'))
    // The first at once, one in each interval, the last behind it: by the time that it took, not by the number of batches.
    expect(seen.length).toBeLessThanOrEqual(3 + (performance.now() - startedAt) / metricsConfig.parse({}).LIVE_EVERY_MS)
    expect(seen.at(-1)!.byEvent.map(({ event: name }) => name)).toContain('Live 0')
    await reader.cancel()
  })

  it('lets go of a page that has left, at once', async () => {
    const { port } = system.app.server.address() as { port: number }
    const requested = once(system.app.server, 'request') as Promise<[unknown, ServerResponse]>
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.write('GET /api/live HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer mk_test\r\n\r\n')
    const [, response] = await requested
    await once(socket, 'data')
    socket.end()
    await once(response, 'close')
    expect(response.writableFinished).toBe(false)
    socket.destroy()
  })

  it('says so when a sum cannot be exact or an answer would be over its bound', async () => {
    const span = { from: '2024-01-04', to: '2024-01-04' }
    const earlier = { timestamp: '2024-01-04T10:00:00Z' }
    await system.accept([event(9, 'Huge', { ...earlier, properties: { n: 1e300 } })], AT)
    await system.accept(Array.from({ length: 101 }, (_, index) => event(9, 'Many', { ...earlier, properties: { n: index } })), AT)
    await system.resolve()
    await system.metrics.drain()
    const huge = await system.ask('POST', '/api/metrics/trends', { events: [{ event: 'Huge' }], measure: 'sum', property: 'n', ...span })
    expect(huge).toMatchObject({ status: 422, body: { code: 'UNPROCESSABLE' } })
    const many = await system.ask('POST', '/api/metrics/trends', { events: [{ event: 'Many' }], breakdown: { property: 'n' }, ...span })
    expect(many).toMatchObject({ status: 422, body: { code: 'QUERY_TOO_LARGE' } })
  })

  it('answers with a balanced ledger, and goes on counting, behind bytes that are no record', async () => {
    const before = await ledger()
    await system.poison(Buffer.from('these bytes are no record'))
    for (let partition = 0; partition < 4; partition++) await system.accept([event(1, 'Behind')], AT)
    await system.metrics.drain()
    const after = await ledger()
    expect([after.balanced, after.total.received]).toEqual([true, before.total.received + 4])
  })
})
