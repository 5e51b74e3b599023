import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TRAIT_OPS_BOUNDS, traitOpsOf } from './trait-ops.ts'

const read = (traitOps: unknown) => traitOpsOf({ traitOps })

describe('traitOpsOf', () => {
  it('reads every operation, and takes one value for a list of one', () => {
    const ops = { setOnce: { first: 'a', n: 0, off: false }, add: { visits: 1, balance: -0.5 }, append: { tags: ['x', 'x'] }, union: { seen: ['a'] }, remove: { seen: ['b'] }, unset: ['plan'], delete: true }
    expect(read(ops)).toEqual(ops)
    expect(read({ append: { tags: 'x' }, union: { seen: { id: 1 } }, unset: 'plan' })).toEqual({ append: { tags: ['x'] }, union: { seen: [{ id: 1 }] }, unset: ['plan'] })
  })
  it('is null where nothing is said', () => {
    for (const nothing of [undefined, null, 'x', [], {}, { add: {} }, { unset: [] }, { delete: false }, { other: { a: 1 } }]) expect(read(nothing)).toBeNull()
    expect(traitOpsOf({})).toBeNull()
  })
  it('leaves out what has not the right shape, and keeps the rest', () => {
    expect(read({
      setOnce: { a: null, b: 1, huge: Infinity }, add: { a: '1', b: 2, c: null, d: 1e16, e: Infinity }, append: { a: null, b: [null, 1], c: [] }, unset: ['a', 1, '', 'a'], delete: 'true', remove: 'x',
    })).toEqual({ setOnce: { b: 1 }, add: { b: 2 }, append: { b: [1] }, unset: ['a'] })
  })
  it('leaves out what is over a bound', () => {
    const [name, long] = ['n'.repeat(TRAIT_OPS_BOUNDS.nameChars + 1), 'x'.repeat(TRAIT_OPS_BOUNDS.valueChars)]
    expect(read({ setOnce: { [name]: 1, long, fits: long.slice(2) }, unset: [name], append: { all: Array.from({ length: 5 }, () => long), some: [long] } }))
      .toEqual({ setOnce: { fits: long.slice(2) }, append: { some: [long] } })
  })
  it('takes a name like __proto__ for a name', () => {
    expect(JSON.stringify(read(JSON.parse('{"add":{"__proto__":1}}')))).toBe('{"add":{"__proto__":1}}')
  })
  it('never throws, and what it gives reads the same again', () => {
    const ops = fc.record({ setOnce: fc.jsonValue(), add: fc.jsonValue(), append: fc.jsonValue(), union: fc.jsonValue(), remove: fc.jsonValue(), unset: fc.jsonValue(), delete: fc.jsonValue() }, { requiredKeys: [] })
    fc.assert(fc.property(fc.oneof(fc.jsonValue(), ops), (some) => {
      const found = JSON.stringify(read(some))
      expect(JSON.stringify(read(JSON.parse(found)))).toBe(found)
    }), { seed: 5, numRuns: 2000 })
  })
})
