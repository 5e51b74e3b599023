import { readFileSync } from 'node:fs'
import { createMetricsRegistry, metricRows } from '@millrace/service-kit'
import { expect, it } from 'vitest'
import { createCounters, createSpoolGauges } from '../src/counters.ts'
import { ingestConfig } from '../src/index.ts'

it('documents every setting with its default', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const defaults = ingestConfig.parse({}) as Readonly<Record<string, unknown>>
  for (const [name, schema] of Object.entries(ingestConfig.shape)) {
    expect(readme).toContain(`| \`${name}\` | ${String(defaults[name] ?? '–')} | ${schema.description} |`)
  }
})

it('documents every metric as it is', () => {
  const registry = createMetricsRegistry()
  createCounters(registry, () => 0)
  createSpoolGauges(registry, { figures: () => ({ records: 0, bytes: 0, bytesMax: 1, oldestAt: null, spooling: false }) }, () => 0)
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme.split('\n').filter((line) => line.startsWith('| `millrace_ingest_')).sort()).toEqual([...metricRows(registry, 'millrace_ingest_')].sort())
})
