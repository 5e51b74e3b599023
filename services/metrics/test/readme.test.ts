import { readFileSync } from 'node:fs'
import { createLogger, createMetricsRegistry, metricRows } from '@millrace/service-kit'
import { expect, it } from 'vitest'
import { createCounters } from '../src/counters.ts'

it('documents every metric as it is', () => {
  const registry = createMetricsRegistry()
  // Nothing is asked of the ports before metrics are read.
  createCounters({ registry, logger: createLogger('silent') } as never)
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme.split('\n').filter((line) => line.startsWith('| `millrace_metrics_')).sort()).toEqual([...metricRows(registry, 'millrace_metrics_')].sort())
})
