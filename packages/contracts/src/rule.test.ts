import { describe, expect, it } from 'vitest'
import { leavesOf, parseRule, RULE_BOUNDS, ruleInput } from './rule.ts'

const parse = (raw: unknown) => parseRule(raw, { currency: 'CNY' })

describe('a rule', () => {
  it('is normalised: defaults written out, leaves numbered in order, did-not as the opposite of did', () => {
    const raw = { all: [{ did: { event: 'A', measure: 'sum', property: 'revenue', op: 'gt', value: 5, window: { last: '4w' } } }, { didNot: { event: '*' } }] }
    expect(ruleInput.safeParse(raw).success).toBe(true)
    expect(parse(raw)).toEqual({
      ok: true,
      rule: {
        kind: 'all',
        of: [
          { kind: 'did', id: '0', event: 'A', where: [], measure: 'sum', property: 'revenue', currency: 'CNY', comparison: { op: 'gt', value: 5 }, windowMs: 28 * 86_400_000 },
          { kind: 'not', of: { kind: 'did', id: '1', event: '*', where: [], measure: 'count', property: null, currency: null, comparison: { op: 'gte', value: 1 }, windowMs: null } },
        ],
      },
    })
  })

  it('is refused with the path of what is wrong', () => {
    const cases: [unknown, string, string][] = [
      [{ any: [{ did: { event: 'A' } }, { sequence: [] }] }, 'LEAF_NOT_AVAILABLE', '/any/1/sequence'],
      [{ did: { event: 'A', measure: 'average' } }, 'LEAF_NOT_AVAILABLE', '/did/measure'],
      [{ did: { event: 'A', window: { calendar: 'today' } } }, 'LEAF_NOT_AVAILABLE', '/did/window'],
      [{ did: { event: 'A', window: { last: '400d' } } }, 'RULE_INVALID', '/did/window/last'],
      [{ did: { event: 'A', op: 'between', value: 3 } }, 'RULE_INVALID', '/did/value'],
      [{ did: { event: 'A', value: 1.5 } }, 'RULE_INVALID', '/did/value'],
      [{ did: { event: 'A', measure: 'sum' } }, 'RULE_INVALID', '/did/property'],
      [{ did: { event: 'A', wher: [] } }, 'RULE_INVALID', '/did'],
      [{ profile: { trait: 'age', op: 'gt', value: 'x' } }, 'RULE_INVALID', '/profile'],
      [{ all: [] }, 'RULE_INVALID', '/all'],
      [{ all: [{ did: { event: 'A' } }], any: [] }, 'RULE_INVALID', '/'],
      ['x', 'RULE_INVALID', '/'],
    ]
    for (const [raw, code, path] of cases) expect(parse(raw)).toMatchObject({ ok: false, code, path })
  })

  it('is bounded in depth and leaves', () => {
    const deep = Array.from({ length: RULE_BOUNDS.depthMax + 1 }).reduce<unknown>((inner) => ({ not: inner }), { did: { event: 'A' } })
    expect(parse(deep)).toMatchObject({ ok: false, code: 'RULE_INVALID' })
    const wide = (leaves: number) => ({ all: [{ all: Array.from({ length: leaves }, () => ({ did: { event: 'A' } })) }, { did: { event: 'B' } }] })
    expect(parse(wide(RULE_BOUNDS.leavesMax))).toMatchObject({ ok: false, path: '/all/1/did' })
    const fits = parse(wide(RULE_BOUNDS.leavesMax - 1))
    expect(fits.ok && leavesOf(fits.rule).map((leaf) => leaf.id)).toEqual(Array.from({ length: RULE_BOUNDS.leavesMax }, (_, index) => String(index)))
  })
})
