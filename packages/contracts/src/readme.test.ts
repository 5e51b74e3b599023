import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { errors } from './errors.ts'

it('documents every code as it is', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const documented = readme.split('\n').filter((line) => /^\| `[A-Z0-9_]+` \|/.test(line))
  expect(documented).toEqual(Object.entries(errors).map(([code, { status, title, meaning }]) => `| \`${code}\` | ${status} | ${title} | ${meaning} |`))
})
