import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  createConsumerMetrics, createHttp, createLogger, createMetricsRegistry, Gauge, healthRoutes, metricRows, onScrape,
} from '../src/index.ts'
import { createCountingIds, createFixedClock } from './fixed.ts'

const logger = createLogger('silent')

/** A part whose answer is given when the test says so. */
const setUp = () => {
  const [registry, clock] = [createMetricsRegistry(), createFixedClock()]
  const gauge = new Gauge({ name: 'millrace_test_figure', help: 'x', registers: [registry] })
  const asked: { answer: (value: number) => void; fail: (error: Error) => void }[] = []
  onScrape({ registry, clock, logger }, {
    name: 'figure',
    everyMs: 10_000,
    ask: async () => gauge.set(await new Promise<number>((answer, fail) => asked.push({ answer, fail }))),
    forget: () => gauge.remove(),
  })
  return { registry, clock, asked }
}
/** All that is due has run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('figures that are asked when metrics are read', () => {
  it('are asked once for many readers, and not again before their time', async () => {
    const { registry, clock, asked } = setUp()
    const readers = [registry.metrics(), registry.metrics(), registry.metrics()]
    await turn()
    asked[0]!.answer(7)
    for (const text of await Promise.all(readers)) expect(text).toContain('millrace_test_figure 7')
    expect(await registry.metrics()).toContain('millrace_test_figure 7')
    expect(asked).toHaveLength(1)
    clock.forward(10_000)
    const later = registry.metrics()
    await turn()
    asked[1]!.answer(8)
    expect(await later).toContain('millrace_test_figure 8')
  })

  it('do not hold a reader up, nor are asked again while an answer is under way', async () => {
    const { registry, clock, asked } = setUp()
    const first = registry.metrics()
    await turn()
    clock.forward(1_000)
    expect(await first).toContain('millrace_test_figure 0')
    clock.forward(60_000)
    const second = registry.metrics()
    await turn()
    clock.forward(1_000)
    await second
    expect(asked).toHaveLength(1)
    asked[0]!.answer(9)
    await turn()
    const third = registry.metrics()
    await turn()
    expect(asked).toHaveLength(2)
    asked[1]!.answer(10)
    expect(await third).toContain('millrace_test_figure 10')
  })

  it('are missing, and counted as that at each reading, while an answer does not come', async () => {
    const { registry, clock, asked } = setUp()
    const first = registry.metrics()
    await turn()
    asked[0]!.answer(7)
    await first
    const readings: string[] = []
    for (const ms of [10_000, 28_000, 30_000]) {
      clock.forward(ms)
      const reading = registry.metrics()
      await turn()
      clock.forward(1_000)
      readings.push(await reading)
    }
    const told = (text: string): unknown => [text.includes('millrace_test_figure 7'), /failures_total\{part="figure"\} (\d)/.exec(text)![1]]
    expect(readings.map(told)).toEqual([[true, '0'], [true, '0'], [false, '1']])
    expect(asked).toHaveLength(2)
    asked[1]!.answer(8)
    await turn()
    const last = registry.metrics()
    await turn()
    clock.forward(1_000)
    expect(await last).toContain('millrace_test_figure 8')
  })

  it('are asked again when the clock was set back', async () => {
    const { registry, clock, asked } = setUp()
    const first = registry.metrics()
    await turn()
    asked[0]!.answer(1)
    await first
    clock.forward(-3_600_000)
    const second = registry.metrics()
    await turn()
    asked[1]!.answer(2)
    expect(await second).toContain('millrace_test_figure 2')
  })

  it('are missing when they could not be had, and the failure is counted', async () => {
    const { registry, asked } = setUp()
    const text = registry.metrics()
    await turn()
    asked[0]!.fail(new Error('the store is gone'))
    expect(await text).not.toContain('millrace_test_figure 0')
    expect(await text).toContain('millrace_scrape_failures_total{part="figure"} 1')
  })
})

describe('readiness', () => {
  it('asks a part that several services name once, and does not pile up questions to one that hangs', async () => {
    const clock = createFixedClock()
    const http = createHttp({ logger, ids: createCountingIds() })
    let asked = 0
    const hangs = { name: 'store', check: () => new Promise<void>(() => void asked++) }
    await http.register(healthRoutes([hangs, hangs, { name: 'log', check: async () => {} }], clock))
    for (let round = 0; round < 3; round++) {
      const answer = http.inject('/readyz')
      await turn()
      await turn()
      clock.forward(2_000)
      const { statusCode, body } = await answer
      expect([statusCode, JSON.parse(body)]).toEqual([503, { status: 'not ready', parts: { store: 'no answer in 2000 ms', log: 'ok' } }])
    }
    expect(asked).toBe(1)
  })
})

it('documents the metrics of consumers as they are', () => {
  const registry = createMetricsRegistry()
  createConsumerMetrics({ registry, clock: createFixedClock(), logger, log: { extents: async () => [], committed: async () => ({ offset: 0, metadata: '' }) } })
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme.split('\n').filter((line) => line.startsWith('| `millrace_')).sort()).toEqual([...metricRows(registry, 'millrace_')].sort())
})

it('hands on all that a consumer says of itself', async () => {
  const metrics = createConsumerMetrics({
    registry: createMetricsRegistry(), clock: createFixedClock(), logger, log: { extents: async () => [], committed: async () => ({ offset: 0, metadata: '' }) },
  })
  const own = { from: 3, scope: 'fold:1', firstBatchEnd: 9, handle: async () => ({ outputs: [] }), close: async () => {} }
  const { open } = metrics.measured({ group: 'fold', topics: ['t'], batchRecordsMax: 1, batchBytesMax: 1, lingerMs: 0, open: async () => own, onFault: () => {} })
  const measured = await open({ topic: 't', partition: 1, committed: { offset: 3, metadata: '' }, declare: async () => {} })
  expect(measured).toMatchObject({ from: 3, scope: 'fold:1', firstBatchEnd: 9 })
})
