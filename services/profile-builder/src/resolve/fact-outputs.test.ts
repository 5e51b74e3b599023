import type { IdentityFact } from '@millrace/contracts'
import { decodeRecord, keyOf } from '@millrace/contracts'
import { expect, it } from 'vitest'
import { FactOutputs } from './fact-outputs.ts'

it('gives no two facts one key that do not say the same, whatever stands in their ids', () => {
  const outputs = new FactOutputs(1)
  const alias = (y: string, time: number, messageId: string): IdentityFact => ({ type: 'keys.aliased', x: 'a', y, order: { time, messageId }, at: 0 })
  const link = (a: string, first: number): IdentityFact => ({ type: 'pair.linked', a: keyOf('user_id', a), b: keyOf('anonymous_id', 'd'), first: { time: first, messageId: 'm' }, unlinkedUpTo: null, at: 0 })
  outputs.add(1, [alias('b', 5, '6/m'), alias('b/5', 6, 'm'), link('u', 9), link('u', 3), link('u/', 9)])
  outputs.add(2, [link('u', 9)])
  const records = outputs.records()
  expect(new Set(records.map(({ key }) => key)).size).toBe(records.length)
  // Of one pair's links the last word only, at its own place.
  expect(records.map(({ value }) => JSON.parse(decodeRecord(value).lines()[0]!.toString()) as IdentityFact)).toEqual(
    [alias('b', 5, '6/m'), alias('b/5', 6, 'm'), link('u', 3), link('u/', 9), link('u', 9)])
})
