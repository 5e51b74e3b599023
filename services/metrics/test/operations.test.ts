import { STORE_DATABASE } from '@millrace/warehouse'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openSystem, type System } from './system.ts'

let system: System | undefined
afterEach(async () => {
  await system?.close()
  system = undefined
})

const AT = Date.now() - 5_000
const view = (user: string, more: object = {}): object => ({ type: 'track', event: 'Product Viewed', userId: user, messageId: `${user}-${JSON.stringify(more)}`, ...more })
const LEDGER = 'millrace_metrics_ledger_difference{project="1"}'
const lagOf = (figures: ReadonlyMap<string, number>): number =>
  [...figures].filter(([name]) => name.startsWith('millrace_consumer_lag_records')).reduce((sum, [, value]) => sum + value, 0)

describe('what /metrics tells', () => {
  it('counts stored, repeated and refused events, and balances while events are pending and when they are in', async () => {
    system = await openSystem()
    await system.accept([view('u1'), view('u2'), view('u2', { repeat: true })], AT)
    await system.reject('TYPE_UNKNOWN', AT)
    await system.reject('A_CODE_OF_OTHER_SOFTWARE', AT)
    await system.metrics.drain()
    const before = await system.scrape()
    expect([before.get(LEDGER), before.get('millrace_metrics_stored_events_total'), before.has('millrace_metrics_freshness_seconds')]).toEqual([0, 0, false])

    await system.resolve()
    await system.metrics.drain()
    const figures = await system.scrape()
    expect(lagOf(figures)).toBe(0)
    expect(Object.fromEntries([...figures].filter(([name]) => name.startsWith('millrace_metrics_')))).toEqual({
      'millrace_metrics_stored_events_total': 2,
      'millrace_metrics_duplicate_events_total': 1,
      'millrace_metrics_rejected_events_total{code="TYPE_UNKNOWN"}': 1,
      'millrace_metrics_rejected_events_total{code="other"}': 1,
      'millrace_metrics_newest_stored_timestamp_seconds': AT / 1000,
      'millrace_metrics_freshness_seconds': expect.any(Number),
      [LEDGER]: 0,
    })
    // Two readings, each a minute later.
    expect(figures.get('millrace_metrics_freshness_seconds')).toBeGreaterThanOrEqual(120 + 5)
    expect(figures.get('millrace_consumer_batch_records_count{group="sink"}')).toBeGreaterThan(0)
    expect(figures.get('millrace_consumer_opened_total{group="ledger",topic="events.accepted"}')).toBe(4)
  })

  it('tells how far a group is behind, and what is lost of what was stored', async () => {
    system = await openSystem()
    await system.accept([view('u1'), view('u2')], AT)
    await system.resolve()
    await system.metrics.drain()
    expect((await system.scrape()).get(LEDGER)).toBe(0)
    await system.columns.command(`ALTER TABLE ${STORE_DATABASE}.events DELETE WHERE user_id = 'u1' SETTINGS mutations_sync = 1`)
    expect((await system.scrape(1_000)).get(LEDGER)).toBe(0)
    expect((await system.scrape()).get(LEDGER)).toBe(1)

    await system.metrics.stop()
    await system.reject('TYPE_UNKNOWN', AT)
    const figures = await system.scrape()
    expect(figures.get('millrace_consumer_lag_records{group="sink",topic="events.rejected",partition="0"}')).toBe(1)
    expect(lagOf(figures)).toBe(2)
    expect(figures.get(LEDGER)).toBe(1)
  })

  it('counts a batch that failed, and stores it all the same', async () => {
    let fails = 1
    system = await openSystem({}, (point) => {
      if (point === 'sink.inserted' && fails-- > 0) throw new Error('the store went away')
    })
    await system.accept([view('u1')], AT)
    await system.resolve()
    await system.metrics.drain()
    const figures = await system.scrape()
    expect(figures.get('millrace_consumer_faults_total{group="sink",topic="events.resolved"}')).toBe(1)
    expect(figures.get('millrace_consumer_opened_total{group="sink",topic="events.resolved"}')).toBe(5)
    expect([figures.get('millrace_metrics_stored_events_total'), figures.get(LEDGER)]).toEqual([1, 0])
  })

  it('is answered without the column store, which readiness names', async () => {
    system = await openSystem()
    await system.metrics.drain()
    const { app } = system
    // A busy machine may not answer within the check's own time.
    await vi.waitFor(async () => expect((await app.inject('/readyz')).json()).toEqual({ status: 'ready', parts: { 'log': 'ok', 'hot-store': 'ok', 'column-store': 'ok' } }), 30_000)
    await system.scrape()
    await system.columns.close()
    const figures = await system.scrape()
    expect(figures.get('millrace_scrape_failures_total{part="freshness"}')).toBeGreaterThan(0)
    expect(figures.get('millrace_scrape_failures_total{part="ledger"}')).toBe(1)
    expect([...figures.keys()].filter((name) => name.startsWith('millrace_metrics_ledger'))).toEqual([])
    expect(lagOf(figures)).toBe(0)
    const ready = await system.app.inject('/readyz')
    expect([ready.statusCode, ready.json().status]).toEqual([503, 'not ready'])
    expect(ready.json().parts).toMatchObject({ log: 'ok', 'hot-store': 'ok', 'column-store': expect.stringContaining('closed') })
  })
})
