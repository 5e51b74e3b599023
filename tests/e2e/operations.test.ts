import { describe, expect, it } from 'vitest'
import { settledLedger } from '../support/ledger.ts'
import { eventually, processesOf } from '../support/millrace.ts'
import { millraceForAll } from '../support/running.ts'

const GROUPS = ['fold', 'identity', 'ledger', 'resolve', 'segmentation', 'sink']

describe('what somebody on call reads', () => {
  const running = millraceForAll()
  const scrape = async (): Promise<readonly (readonly [series: string, value: number])[]> => {
    const texts = await Promise.all(processesOf(running.millrace).map(async (url) => (await fetch(`${url}/metrics`)).text()))
    return texts.join('\n').split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))])
  }

  it('tells of every consumer, of freshness, the ledger and the event loop, and which parts are ready', async () => {
    const { millrace } = running
    const order = { type: 'track', messageId: 'm-1', userId: 'u-1', event: 'Order Completed' }
    expect((await millrace.send([order, { type: 'track', messageId: 'm-2', userId: 'u-2', event: 'Product Viewed' }])).status).toBe(200)
    await millrace.send([order, { type: 'no such type', messageId: 'm-3', userId: 'u-3' }])
    await settledLedger(millrace, 4)

    const lagOf = (figures: Awaited<ReturnType<typeof scrape>>) => figures.filter(([name]) => name.startsWith('millrace_consumer_lag_records'))
    // On a busy machine what has to be asked of the store comes with a later reading.
    const has = (told: Awaited<ReturnType<typeof scrape>>, name: string) => told.some(([series]) => series.startsWith(name))
    const figures = await eventually(scrape, (told) =>
      lagOf(told).length > 0 && lagOf(told).every(([, lag]) => lag === 0) && has(told, 'millrace_metrics_ledger_difference') && has(told, 'millrace_metrics_freshness'))
    expect([...new Set(lagOf(figures).map(([name]) => /group="([^"]+)"/.exec(name)![1]))].sort()).toEqual(GROUPS)
    const one = new Map(figures)
    expect(one.get('millrace_metrics_ledger_difference{project="1"}')).toBe(0)
    expect(one.get('millrace_metrics_stored_events_total')).toBe(2)
    expect(one.get('millrace_metrics_duplicate_events_total')).toBe(1)
    expect(one.get('millrace_metrics_rejected_events_total{code="TYPE_UNKNOWN"}')).toBe(1)
    expect(one.get('millrace_metrics_freshness_seconds')).toBeGreaterThanOrEqual(0)
    expect(one.has('nodejs_eventloop_lag_p99_seconds')).toBe(true)
    const ready = await Promise.all(processesOf(millrace).map((url) => eventually(async () => (await (await fetch(`${url}/readyz`)).json()) as { status: string; parts: object }, ({ status }) => status === 'ready')))
    expect(Object.assign({}, ...ready.map(({ parts }) => parts))).toEqual({ log: 'ok', 'hot-store': 'ok', 'column-store': 'ok' })
  })
})
