import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { profileBuilderConfig } from '../src/index.ts'

it('documents every setting with its default and meaning', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const defaults: Readonly<Record<string, unknown>> = profileBuilderConfig.parse({})
  for (const [name, { description }] of Object.entries(profileBuilderConfig.shape))
    expect(readme).toContain(`| \`${name}\` | ${String(defaults[name])} | ${description} |`)
})
