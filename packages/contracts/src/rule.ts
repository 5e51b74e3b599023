import { z } from 'zod'
import { propertyFilter, type PropertyFilter } from './question.ts'

/**
 * A segment's rule as data: a tree of `all`, `any`, `not` over leaves. `parseRule` is the only door: it bounds the
 * tree, names the path of whatever is wrong, writes out every default and gives each leaf a stable id.
 */

export const RULE_BOUNDS = {
  depthMax: 8,
  leavesMax: 50,
  branchesMax: 50,
  filtersMax: 20,
  /** A windowed count keeps one time more than this for each person. */
  countMax: 4096,
  windowMsMax: 366 * 86_400_000,
  /** Amounts are summed in 1/10000; beyond this a double no longer holds one exactly. */
  amountMax: 900_000_000_000,
} as const

const name = z.string().min(1).max(500)
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const spanMs = (text: string): number => Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? Number.NaN)

/** `{ last: '30d' }` is (clock − 30 days, clock]; units m, h, d, w. `ever` has no lower edge. */
export const ruleWindow = z.union([
  z.literal('ever'),
  z.strictObject({
    last: z
      .string()
      .regex(/^[1-9]\d{0,5}(m|h|d|w)$/, 'a length like 15m, 24h, 30d or 4w')
      .refine((text) => spanMs(text) <= RULE_BOUNDS.windowMsMax, 'at most 366d'),
  }),
])

const where = z.array(propertyFilter).max(RULE_BOUNDS.filtersMax).default([])
const amount = z.number().min(-RULE_BOUNDS.amountMax).max(RULE_BOUNDS.amountMax)
const ascending = (pair: readonly [number, number]): boolean => pair[0] <= pair[1]
const didComparison = z.union([
  z.object({ op: z.enum(['eq', 'neq', 'gt', 'gte', 'lt', 'lte']).default('gte'), value: amount.default(1) }),
  z.object({ op: z.literal('between'), value: z.tuple([amount, amount]).refine(ascending, 'the smaller value first') }),
])

export const DID_MEASURES = ['count', 'sum', 'distinct-days'] as const
export type DidMeasure = (typeof DID_MEASURES)[number]

const didShape = z.strictObject({
  event: name,
  where,
  measure: z.enum(DID_MEASURES).default('count'),
  /** The numeric property of `sum`; `revenue` is exact decimal money in `currency`. */
  property: name.optional(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional(),
  op: z.enum(['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'between']).default('gte'),
  value: z.union([z.number(), z.tuple([z.number(), z.number()])]).default(1),
  window: ruleWindow.default('ever'),
})

const isWhole = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= RULE_BOUNDS.countMax
const values = (value: number | readonly number[]): readonly number[] => (typeof value === 'number' ? [value] : value)

export const didLeaf = didShape
  .refine((leaf) => didComparison.safeParse({ op: leaf.op, value: leaf.value }).success, {
    message: '`value` is one number, for `between` two with the smaller first',
    path: ['value'],
  })
  .refine((leaf) => leaf.measure === 'sum' || values(leaf.value).every(isWhole), {
    message: `a whole number from 0 to ${RULE_BOUNDS.countMax}`,
    path: ['value'],
  })
  .refine((leaf) => (leaf.measure === 'sum') === (leaf.property !== undefined), {
    message: '`property` belongs to the measure `sum`, which needs it',
    path: ['property'],
  })
  .refine((leaf) => leaf.currency === undefined || leaf.property === 'revenue', {
    message: '`currency` belongs to the property `revenue`',
    path: ['currency'],
  })

export const didNotLeaf = z.strictObject({ event: name, where, window: ruleWindow.default('ever') })

const scalar = z.union([z.string().max(2000), z.number(), z.boolean()])
/** Operators on a trait. Which of them a missing trait satisfies: packages/segments/README.md. */
export const profileLeaf = z.union([
  z.strictObject({ trait: name, op: z.enum(['eq', 'neq']), value: scalar }),
  z.strictObject({ trait: name, op: z.enum(['gt', 'gte', 'lt', 'lte']), value: z.number() }),
  z.strictObject({
    trait: name,
    op: z.enum(['contains', 'not-contains', 'starts-with', 'ends-with']),
    value: z.string().min(1).max(2000),
  }),
  z.strictObject({
    trait: name,
    op: z.enum(['in', 'not-in']),
    value: z.union([z.array(z.string().max(2000)).min(1).max(200), z.array(z.number()).min(1).max(200)]),
  }),
  z.strictObject({ trait: name, op: z.enum(['exists', 'not-exists']) }),
])
export type ProfileCondition = z.infer<typeof profileLeaf>

/** What a sender writes. For the generated OpenAPI; `parseRule` gives better errors. */
export type RuleInput =
  | { all: RuleInput[] }
  | { any: RuleInput[] }
  | { not: RuleInput }
  | { did: z.input<typeof didLeaf> }
  | { didNot: z.input<typeof didNotLeaf> }
  | { profile: ProfileCondition }
export const ruleInput: z.ZodType<RuleInput> = z.lazy(() =>
  z.union([
    z.strictObject({ all: z.array(ruleInput).min(1).max(RULE_BOUNDS.branchesMax) }),
    z.strictObject({ any: z.array(ruleInput).min(1).max(RULE_BOUNDS.branchesMax) }),
    z.strictObject({ not: ruleInput }),
    z.strictObject({ did: didLeaf }),
    z.strictObject({ didNot: didNotLeaf }),
    z.strictObject({ profile: profileLeaf }),
  ]),
) as z.ZodType<RuleInput>

export type Comparison =
  | { readonly op: 'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte'; readonly value: number }
  | { readonly op: 'between'; readonly value: readonly [number, number] }

/** `did`, with every default written out. `didNot` becomes `not` over a `did` of at least one. */
export interface DidLeaf {
  readonly kind: 'did'
  readonly id: string
  /** A name, or `*` for any activity (track, page, screen). */
  readonly event: string
  readonly where: readonly PropertyFilter[]
  readonly measure: DidMeasure
  /** Of `sum`; else null. */
  readonly property: string | null
  /** Of a sum of `revenue`; else null. */
  readonly currency: string | null
  readonly comparison: Comparison
  /** Length of (clock − windowMs, clock]; null: ever. */
  readonly windowMs: number | null
}
export interface ProfileLeaf {
  readonly kind: 'profile'
  readonly id: string
  readonly condition: ProfileCondition
}
export type RuleLeaf = DidLeaf | ProfileLeaf
export type Rule =
  | { readonly kind: 'all'; readonly of: readonly Rule[] }
  | { readonly kind: 'any'; readonly of: readonly Rule[] }
  | { readonly kind: 'not'; readonly of: Rule }
  | RuleLeaf

export type ParsedRule =
  | { readonly ok: true; readonly rule: Rule }
  | { readonly ok: false; readonly code: 'RULE_INVALID' | 'LEAF_NOT_AVAILABLE'; readonly path: string; readonly detail: string }

/** Leaves, measures and windows that the design names and nothing produces yet. */
const NOT_AVAILABLE: ReadonlySet<string> = new Set(
  ('firstEver regularly stopped resumed sequence in notIn inSegment notInSegment lifecycle stage rfm tier score ' +
    'cluster survey experiment bucket top percentile list anniversary consent')
    .split(' '),
)
const MEASURES_NOT_AVAILABLE: ReadonlySet<unknown> = new Set(
  'average min max distinct-values first-value last-value first last'.split(' '),
)
const WINDOWS_NOT_AVAILABLE: ReadonlySet<string> = new Set(['calendar', 'from', 'to', 'since', 'sinceFirstSeen'])

class Refusal extends Error {
  readonly code: 'RULE_INVALID' | 'LEAF_NOT_AVAILABLE'
  readonly path: string
  constructor(code: 'RULE_INVALID' | 'LEAF_NOT_AVAILABLE', path: string, detail: string) {
    super(detail)
    this.code = code
    this.path = path
  }
}

/** Parses, bounds and normalises what a sender wrote. `currency` stands where a sum of revenue names none. */
export const parseRule = (raw: unknown, defaults: { readonly currency: string }): ParsedRule => {
  let leaves = 0
  const nextId = (path: string): string => {
    if (leaves === RULE_BOUNDS.leavesMax) throw new Refusal('RULE_INVALID', path, `more than ${leaves} leaves`)
    return String(leaves++)
  }
  try {
    return { ok: true, rule: parseNode(raw, { path: '', depth: 1, nextId, currency: defaults.currency }) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { ok: false, code: error.code, path: error.path || '/', detail: error.message }
  }
}

interface Place {
  readonly path: string
  readonly depth: number
  readonly nextId: (path: string) => string
  readonly currency: string
}

const parseNode = (raw: unknown, place: Place): Rule => {
  const [kind, body] = onlyEntry(raw, place)
  const inside = { ...place, path: `${place.path}/${kind}` }
  if (place.depth > RULE_BOUNDS.depthMax) {
    throw new Refusal('RULE_INVALID', place.path, `deeper than ${RULE_BOUNDS.depthMax} levels`)
  }
  if (kind === 'all' || kind === 'any') return { kind, of: parseBranches(body, inside) }
  if (kind === 'not') return { kind, of: parseNode(body, { ...inside, depth: place.depth + 1 }) }
  if (kind === 'did') return parseDid(body, inside)
  if (kind === 'didNot') return { kind: 'not', of: normalDid(check(didNotLeaf, body, inside), inside) }
  if (kind === 'profile') return { kind, condition: check(profileLeaf, body, inside), id: place.nextId(inside.path) }
  if (NOT_AVAILABLE.has(kind)) throw new Refusal('LEAF_NOT_AVAILABLE', inside.path, `\`${kind}\` has no producer yet`)
  throw new Refusal('RULE_INVALID', inside.path, `\`${kind}\` is none of all, any, not, did, didNot, profile`)
}

const onlyEntry = (raw: unknown, place: Place): readonly [string, unknown] => {
  const entries = typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? Object.entries(raw) : []
  if (entries.length === 1) return entries[0]!
  throw new Refusal('RULE_INVALID', place.path, 'an object with exactly one of all, any, not, did, didNot, profile')
}

const parseBranches = (body: unknown, place: Place): readonly Rule[] => {
  if (!Array.isArray(body) || body.length === 0 || body.length > RULE_BOUNDS.branchesMax) {
    throw new Refusal('RULE_INVALID', place.path, `a list of 1 to ${RULE_BOUNDS.branchesMax} rules`)
  }
  return body.map((raw, index) => parseNode(raw, { ...place, path: `${place.path}/${index}`, depth: place.depth + 1 }))
}

const parseDid = (body: unknown, place: Place): Rule => {
  const { measure, window } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  if (MEASURES_NOT_AVAILABLE.has(measure)) {
    throw new Refusal('LEAF_NOT_AVAILABLE', `${place.path}/measure`, `\`${String(measure)}\` has no producer yet`)
  }
  const unknown = typeof window === 'object' && window !== null && Object.keys(window).some((key) => WINDOWS_NOT_AVAILABLE.has(key))
  if (unknown) throw new Refusal('LEAF_NOT_AVAILABLE', `${place.path}/window`, 'only rolling windows have a producer yet')
  return normalDid(check(didLeaf, body, place), place)
}

const normalDid = (leaf: Partial<z.infer<typeof didLeaf>> & z.infer<typeof didNotLeaf>, place: Place): DidLeaf => ({
  kind: 'did',
  id: place.nextId(place.path),
  event: leaf.event,
  where: leaf.where,
  measure: leaf.measure ?? 'count',
  property: leaf.property ?? null,
  currency: leaf.property === 'revenue' ? (leaf.currency ?? place.currency) : null,
  comparison: { op: leaf.op ?? 'gte', value: leaf.value ?? 1 } as Comparison,
  windowMs: leaf.window === 'ever' ? null : spanMs(leaf.window.last),
})

const check = <Schema extends z.ZodType>(schema: Schema, body: unknown, place: Place): z.infer<Schema> => {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new Refusal('RULE_INVALID', [place.path, ...issue.path.map(String)].join('/'), issue.message)
}

/** The leaves of a rule, in the order of their ids. */
export const leavesOf = (rule: Rule): readonly RuleLeaf[] => {
  switch (rule.kind) {
    case 'all':
    case 'any':
      return rule.of.flatMap(leavesOf)
    case 'not':
      return leavesOf(rule.of)
    case 'did':
    case 'profile':
      return [rule]
  }
}
