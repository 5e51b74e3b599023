import { readFileSync } from 'node:fs'
import { createMetricsRegistry, metricRows } from '@millrace/service-kit'
import { expect, it } from 'vitest'
import { createCounters } from '../src/counters.ts'
import { profileBuilderConfig } from '../src/index.ts'

it('documents every setting with its default and meaning', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const defaults: Readonly<Record<string, unknown>> = profileBuilderConfig.parse({})
  for (const [name, { description }] of Object.entries(profileBuilderConfig.shape))
    expect(readme).toContain(`| \`${name}\` | ${String(defaults[name])} | ${description} |`)
})

it('documents every metric as it is', () => {
  const registry = createMetricsRegistry()
  createCounters(registry, () => 0)
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme.split('\n').filter((line) => line.startsWith('| `millrace_profile_builder_')).sort()).toEqual([...metricRows(registry, 'millrace_profile_builder_')].sort())
})
