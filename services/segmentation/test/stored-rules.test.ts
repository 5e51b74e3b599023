import { expect, it } from 'vitest'
import { storedRules } from '../src/handlers/stored-rules.ts'

it('reads every rule of a partition, however many there are', async () => {
  const keys = Array.from({ length: 2_500 }, (_, n) => `rule:${String(n).padStart(5, '0')}`)
  const scan = async ({ prefix, after = '', limit }: { prefix: string; after?: string; limit: number }) =>
    keys.filter((key) => key.startsWith(prefix) && key > after).slice(0, limit).map((key) => ({ key, document: { segment: key } }))
  expect((await storedRules(scan, 'rule:')).map(({ segment }) => segment)).toEqual(keys)
})
