import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ingestConfig } from '../src/index.ts'

it('documents every setting with its default', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const defaults = ingestConfig.parse({}) as Readonly<Record<string, unknown>>
  for (const [name, schema] of Object.entries(ingestConfig.shape)) {
    expect(readme).toContain(`| \`${name}\` | ${String(defaults[name] ?? '–')} | ${schema.description} |`)
  }
})
