import { type Fields, fieldsOf, isFields } from './fields.ts'

/** What an event does to the traits of its person beside setting them (that is `traits`). In the order in which it is done. */
export interface TraitOps {
  /** Sets what has no value at that time. */
  readonly setOnce?: Readonly<Record<string, unknown>>
  /** Adds to a number; what has no value starts at 0. */
  readonly add?: Readonly<Record<string, number>>
  /** Puts values at the end of a list; repeats stay. */
  readonly append?: Readonly<Record<string, readonly unknown[]>>
  /** Puts those values at the end of a list that it does not hold yet. */
  readonly union?: Readonly<Record<string, readonly unknown[]>>
  /** Takes values out of a list, each wherever it stands. */
  readonly remove?: Readonly<Record<string, readonly unknown[]>>
  readonly unset?: readonly string[]
  /** Takes every trait of the person away that was said up to this event, this event's own included. */
  readonly delete?: true
}

export const TRAIT_OPS_BOUNDS = {
  nameChars: 256,
  /** Of one value as JSON. */
  valueChars: 1024,
  /** Of a list as JSON; one that grows over it loses its oldest values. */
  listChars: 4096,
  /** Size of what is added: up to here every whole number is exact. */
  amountMax: 1e15,
} as const

/**
 * The `traitOps` of an event in Segment's shape, or null where they say nothing. Lenient: what has not the right shape
 * or is over a bound is left out, the rest counts. `append`, `union` and `remove` may name one value or a list of values.
 */
export const traitOpsOf = (raw: Fields): TraitOps | null => {
  const said = raw['traitOps']
  if (!isFields(said)) return null
  const unset = namesOf(said['unset'])
  const ops: TraitOps = {
    ...taken('setOnce', said, onceOf),
    ...taken('add', said, amountOf),
    ...taken('append', said, listOf),
    ...taken('union', said, listOf),
    ...taken('remove', said, listOf),
    ...(unset.length > 0 ? { unset } : {}),
    ...(said['delete'] === true ? { delete: true } : {}),
  }
  return Object.keys(ops).length > 0 ? ops : null
}

const taken = <Op extends string, Value>(op: Op, said: Fields, read: (value: unknown) => Value | undefined): { [op in Op]?: Record<string, Value> } => {
  const entries = Object.entries(fieldsOf(said[op])).flatMap(([name, value]) => {
    const found = isName(name) ? read(value) : undefined
    return found === undefined ? [] : [[name, found] as const]
  })
  return (entries.length > 0 ? { [op]: Object.fromEntries(entries) } : {}) as { [op in Op]?: Record<string, Value> }
}

const isName = (name: unknown): name is string => typeof name === 'string' && name !== '' && name.length <= TRAIT_OPS_BOUNDS.nameChars

const namesOf = (value: unknown): readonly string[] => [...new Set((Array.isArray(value) ? value : [value]).filter(isName))]

const onceOf = (value: unknown): unknown => (says(value) && charsOf(value) <= TRAIT_OPS_BOUNDS.valueChars ? value : undefined)

const amountOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Math.abs(value) <= TRAIT_OPS_BOUNDS.amountMax ? value : undefined

const listOf = (value: unknown): readonly unknown[] | undefined => {
  const values = (Array.isArray(value) ? value : [value]).filter(says)
  return values.length > 0 && charsOf(values) <= TRAIT_OPS_BOUNDS.listChars ? values : undefined
}

/** null says that there is nothing, and a number that JSON does not carry becomes null in a store. */
const says = (value: unknown): boolean => value !== undefined && value !== null && !(typeof value === 'number' && !Number.isFinite(value))

const charsOf = (value: unknown): number => JSON.stringify(value).length
