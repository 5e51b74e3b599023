import type { CanonicalEvent } from './event.ts'
import { addDecimals, type Decimal, decimalOf, numberOfDecimal } from './decimal.ts'
import { sameValue } from './same-value.ts'
import { TRAIT_OPS_BOUNDS } from './trait-ops.ts'

export type TraitChangeKind = 'set' | 'once' | 'add' | 'append' | 'union' | 'remove'

/**
 * What an event does to traits of its person, one by one, in the order in which it is done: set, set once, add, append,
 * union, remove. Unsetting comes last in an event: it is a set to null, and other changes of that trait are not told.
 * Nothing is told of an event that deletes, since it hides its own changes too, and of a group, whose traits are its own.
 */
export const eachTraitChange = (event: CanonicalEvent, visit: (name: string, kind: TraitChangeKind, value: unknown) => void): void => {
  const { type, traits, traitOps: ops } = event
  if (type === 'group' || ops?.delete) return
  const unset = ops?.unset ? new Set(ops.unset) : null
  const visitAll = (values: Readonly<Record<string, unknown>> | undefined, kind: TraitChangeKind): void => {
    for (const name in values) if (values[name] !== undefined && !unset?.has(name)) visit(name, kind, values[name])
  }
  visitAll(traits, 'set')
  if (ops === null) return
  visitAll(ops.setOnce, 'once')
  visitAll(ops.add, 'add')
  visitAll(ops.append, 'append')
  visitAll(ops.union, 'union')
  visitAll(ops.remove, 'remove')
  unset?.forEach((name) => visit(name, 'set', null))
}

/** A trait between two changes. */
export interface TraitStanding {
  /** null: the person has no such trait. */
  readonly value: unknown
  /** Of a number that was added to: its exact value, since many sums are no number of a computer. */
  readonly exact: Decimal | null
  /** A list lost its oldest values over the bound. */
  readonly cut: boolean
}

export const standing = (value: unknown): TraitStanding => ({ value: value ?? null, exact: null, cut: false })

/**
 * One change of one trait. What does not fit changes nothing: adding to what is no number, removing from what is no list.
 * Appending to a value that is no list makes a list of it.
 */
export const changed = (before: TraitStanding, kind: TraitChangeKind, value: unknown): TraitStanding => {
  switch (kind) {
    case 'set': return standing(value)
    case 'once': return before.value === null ? standing(value) : before
    case 'add': return added(before, value as number | string)
    case 'append': return listed(before, [...listOf(before.value), ...(value as readonly unknown[])])
    case 'union': return united(before, value as readonly unknown[])
    case 'remove': return removed(before, value as readonly unknown[])
  }
}

const added = (before: TraitStanding, amount: number | string): TraitStanding => {
  const { value } = before
  if (value !== null && typeof value !== 'number') return before
  const exact = addDecimals(before.exact ?? decimalOf(value ?? 0), decimalOf(amount))
  return { ...before, value: numberOfDecimal(exact), exact }
}

const united = (before: TraitStanding, values: readonly unknown[]): TraitStanding => {
  const list = listOf(before.value)
  const all = [...list]
  for (const value of values) if (!all.some((one) => sameValue(one, value))) all.push(value)
  return Array.isArray(before.value) && all.length === list.length ? before : listed(before, all)
}

const removed = (before: TraitStanding, values: readonly unknown[]): TraitStanding => {
  const list = before.value
  if (!Array.isArray(list)) return before
  const kept = list.filter((one) => !values.some((value) => sameValue(one, value)))
  return kept.length === list.length ? before : listed(before, kept)
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === null ? [] : [value])

/** The newest values that fit the bound. */
const listed = (before: TraitStanding, values: readonly unknown[]): TraitStanding => {
  let chars = 1
  let from = values.length
  while (from > 0 && (chars += JSON.stringify(values[from - 1]).length + 1) <= TRAIT_OPS_BOUNDS.listChars) from--
  return { value: from === 0 ? values : values.slice(from), exact: null, cut: before.cut || from > 0 }
}
