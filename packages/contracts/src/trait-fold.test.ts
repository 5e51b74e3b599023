import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinSteps, TRAIT_STEPS } from './join-trait-steps.ts'
import { compareAt, floorOf, foldTrait, type FoldedTrait, type TraitAt, type TraitStep } from './trait-fold.ts'
import { TRAIT_OPS_BOUNDS } from './trait-ops.ts'

type Kind = 'set' | 'unset' | 'delete' | 'once' | 'add' | 'append' | 'union' | 'remove'
interface Op { readonly kind: Kind; readonly value: unknown; readonly at: TraitAt }

/** What a part of a person keeps of one trait. */
interface Part {
  readonly set?: readonly [number, string, unknown]
  readonly deleted?: TraitAt
  readonly steps: readonly TraitStep[]
}

const newest = <At extends readonly [number, string, ...unknown[]]>(a: At | undefined, b: At | undefined): At | undefined => (!a || (b && compareAt(b, a) > 0) ? b : a)

const add = (a: Part, b: Part): Part => {
  const [set, deleted] = [newest(a.set, b.set), newest(a.deleted, b.deleted)]
  return { ...(set && { set }), ...(deleted && { deleted }), steps: joinSteps(floorOf(set, deleted), a.steps, b.steps) }
}
const partOf = ({ kind, value, at }: Op): Part => {
  if (kind === 'delete') return { deleted: at, steps: [] }
  if (kind === 'set' || kind === 'unset') return { set: [...at, kind === 'set' ? value : null], steps: [] }
  return { steps: [[...at, kind, value, '', '']] }
}
const told = ({ set, deleted, steps }: Part): FoldedTrait => foldTrait(floorOf(set, deleted), steps)

/** All operations in order, one by one, by nothing but their words. Amounts are tenths. */
const plain = (ops: readonly Op[]): unknown => {
  let value: unknown = null
  for (const { kind, value: given } of ops.toSorted((a, b) => compareAt(a.at, b.at))) {
    const list = Array.isArray(value) ? value : value === null ? [] : [value]
    const has = (all: readonly unknown[], one: unknown): boolean => all.some((other) => JSON.stringify(other) === JSON.stringify(one))
    if (kind === 'set') value = given
    if (kind === 'unset' || kind === 'delete') value = null
    if (kind === 'once') value ??= given
    if (kind === 'add' && (value === null || typeof value === 'number')) value = (Math.round(Number(value ?? 0) * 10) + Math.round(Number(given) * 10)) / 10
    if (kind === 'append') value = [...list, ...(given as unknown[])]
    if (kind === 'union') value = (given as unknown[]).reduce<unknown[]>((all, one) => (has(all, one) ? all : [...all, one]), list)
    if (kind === 'remove' && Array.isArray(value)) value = list.filter((one) => !has(given as unknown[], one))
  }
  return value
}

const scalar = fc.constantFrom<unknown>(1, 0.1, 0.2, 7, 'x', true, { a: 1 }, [1])
const amount = fc.constantFrom(0.1, 0.2, 1, -3)
const values = fc.array(fc.constantFrom<unknown>(1, 2, 'x', { a: 1 }), { minLength: 1, maxLength: 2 })
const said = (kinds: readonly Kind[]): fc.Arbitrary<Pick<Op, 'kind' | 'value'>> => fc.constantFrom(...kinds).chain((kind) =>
  (kind === 'add' ? amount : kind === 'append' || kind === 'union' || kind === 'remove' ? values : scalar).map((value) => ({ kind, value })))

interface Case { readonly ops: readonly Op[]; readonly order: readonly number[]; readonly parts: readonly number[] }
/** Operations of different moments, in some order of arrival, said to some of three parts. */
const caseOf = (kinds: readonly Kind[], maxLength: number): fc.Arbitrary<Case> => fc.array(said(kinds), { maxLength, size: 'max' }).chain((all) => fc.record({
  ops: fc.constant(all.map((op, n): Op => ({ ...op, at: [Math.floor(n / 2), `m${n % 2}`] }))),
  order: fc.shuffledSubarray(all.map((_, n) => n), { minLength: all.length }),
  parts: fc.array(fc.nat({ max: 2 }), { minLength: all.length, maxLength: all.length }),
}))

const arrived = ({ ops, order, parts }: Case): FoldedTrait => {
  const kept: Part[] = [{ steps: [] }, { steps: [] }, { steps: [] }]
  // As text in between: a state is stored and travels.
  for (const n of order) kept[parts[n]!] = JSON.parse(JSON.stringify(add(kept[parts[n]!]!, partOf(ops[n]!)))) as Part
  return told(add(kept[2]!, add(kept[0]!, kept[1]!)))
}

const EVERY: readonly Kind[] = ['set', 'unset', 'delete', 'once', 'once', 'add', 'add', 'append', 'union', 'remove']
const withBounds = (bounds: object, run: () => void): void => {
  const before = { ...TRAIT_STEPS }
  Object.assign(TRAIT_STEPS, bounds)
  try { run() } finally { Object.assign(TRAIT_STEPS, before) }
}

describe('a trait that is changed by operations', () => {
  it('has the value that all of them give one by one, in any order of arrival and any split into parts', () => {
    fc.assert(fc.property(caseOf(EVERY, 12), (some) => {
      const { value, partial } = arrived(some)
      // Of a thrice repeated set-once the middle is not kept, so that an unset that comes late may make it partial.
      const onces = some.ops.filter(({ kind }) => kind === 'once').map(({ value: once }) => JSON.stringify(once))
      const isThrice = onces.some((once) => onces.filter((other) => other === once).length > 2)
      expect(partial && !isThrice).toBe(false)
      expect(partial ? null : { value }).toEqual(partial ? null : { value: plain(some.ops) })
    }), { seed: 11, numRuns: 4000 })
  })

  it('is right or says that it is partial, over the bound too', () => {
    const counted = { exact: 0, partial: 0 }
    withBounds({ stepsMax: 4 }, () => {
      fc.assert(fc.property(caseOf(EVERY, 30), (some) => {
        const { value, partial } = arrived(some)
        counted[partial ? 'partial' : 'exact']++
        if (!partial) expect(value).toEqual(plain(some.ops))
      }), { seed: 12, numRuns: 6000 })
      fc.assert(fc.property(caseOf(['once', 'once', 'once', 'add', 'add', 'unset', 'append'], 30), (some) => {
        const { value, partial } = arrived(some)
        counted[partial ? 'partial' : 'exact']++
        if (!partial) expect(value).toEqual(plain(some.ops))
      }), { seed: 13, numRuns: 6000 })
    })
    process.stdout.write(`operations on a trait with room for 4: ${counted.exact} exact, ${counted.partial} partial, seeds 12 and 13\n`)
    expect(counted.exact).toBeGreaterThan(3000)
    expect(counted.partial).toBeGreaterThan(300)
  })

  it('is exact over the bound while changes arrive in their order', () => {
    withBounds({ stepsMax: 4 }, () => {
      fc.assert(fc.property(caseOf(EVERY, 40), ({ ops }) => {
        const { value, partial } = told(ops.map(partOf).reduce(add, { steps: [] }))
        expect([value, partial]).toEqual([plain(ops), false])
      }), { seed: 15, numRuns: 2000 })
    })
  })

  it('counts exactly for ever, and a set-once that is sent with each event takes the room of two', () => {
    withBounds({ stepsMax: 4 }, () => {
      fc.assert(fc.property(caseOf(['add'], 60), (some) => {
        const { value, partial } = arrived(some)
        expect([value, partial]).toEqual([plain(some.ops), false])
      }), { seed: 14, numRuns: 500 })
    })
    const again = Array.from({ length: 100 }, (_, n): Op => ({ kind: 'once', value: n % 2 ? { a: 2, b: 1 } : { b: 1, a: 2 }, at: [n, 'm'] }))
    const part = again.toReversed().map(partOf).reduce(add, { steps: [] })
    expect([part.steps.length, told(part).value]).toEqual([2, { a: 2, b: 1 }])
    // An unset in the middle: the value is known to have been said again after it.
    expect(told(add(part, partOf({ kind: 'unset', value: null, at: [50, 'n'] })))).toMatchObject({ value: { b: 1, a: 2 }, partial: false })
  })

  it('is whole again after a set that is later than what was lost', () => {
    withBounds({ stepsMax: 2 }, () => {
      const adds = Array.from({ length: 9 }, (_, n): Op => ({ kind: 'add', value: 1, at: [n, 'm'] })).map(partOf).reduce(add, { steps: [] })
      const torn = add(adds, partOf({ kind: 'set', value: 0, at: [4, 'n'] }))
      expect(told(torn).partial).toBe(true)
      expect(told(add(torn, partOf({ kind: 'set', value: 5, at: [9, 'm'] })))).toMatchObject({ value: 5, partial: false })
    })
  })

  it('adds decimals exactly, whatever was added on the way', () => {
    const sum = (...amounts: number[]) => told(amounts.map((value, n) => partOf({ kind: 'add', value, at: [n, 'm'] })).reduce(add, { steps: [] })).value
    expect(sum(0.1, 0.2)).toBe(0.3)
    const many = Array.from({ length: 12 }, () => 1e15)
    expect(sum(...many, 0.5, 0.5, ...many.map((one) => -one))).toBe(1)
    expect(sum(1e-7, -1e-7, 5e-324)).toBe(5e-324)
    expect(sum(1.005, 1e15)).toBe(1_000_000_000_000_001)
  })

  it('is hidden by a delete of the same moment, and not by a set', () => {
    const [once, set] = [partOf({ kind: 'once', value: 1, at: [1, 'm'] }), partOf({ kind: 'unset', value: null, at: [1, 'm'] })]
    expect(told(add(set, once)).value).toBe(1)
    const gone = partOf({ kind: 'delete', value: null, at: [1, 'm'] })
    expect([told(add(gone, once)).value, told(add(partOf({ kind: 'set', value: 1, at: [1, 'm'] }), gone)).value]).toEqual([null, null])
  })

  it('keeps the newest values of a list that outgrows its bound, and says so', () => {
    const long = Array.from({ length: 50 }, (_, n): Op => ({ kind: 'append', value: [`${n}`.padStart(98, '0')], at: [n, 'm'] }))
    const { value, partial } = told(long.map(partOf).reduce(add, { steps: [] }))
    expect([(value as string[]).length, (value as string[]).at(-1), partial]).toEqual([40, '49'.padStart(98, '0'), true])
    expect(JSON.stringify(value).length).toBeLessThanOrEqual(TRAIT_OPS_BOUNDS.listChars)
  })

  it('has bounded steps, whatever comes', () => {
    const many = Array.from({ length: 400 }, (_, n): Op => ({ kind: (['append', 'remove', 'once'] as const)[n % 3]!, value: n % 3 === 2 ? n : [n % 7, 'x'.repeat(n)], at: [n, 'm'] }))
    const { steps } = many.map(partOf).reduce(add, { steps: [] })
    expect(steps.length).toBeLessThanOrEqual(TRAIT_STEPS.stepsMax)
    expect(JSON.stringify(steps).length).toBeLessThan(3 * TRAIT_STEPS.charsMax)
  })
})
