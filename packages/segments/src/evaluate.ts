import type { DidLeaf, Millis, ProfileLeaf, Rule, RuleLeaf } from '@millrace/contracts'
import { emptyLeaf, firstAbove, keepOf, type LeafState, mergeLeaf, wholeOf } from './leaf-state.ts'
import { matchesValue, toUnits } from './match.ts'
import type { SlotState } from './slot-state.ts'
import { type Trait, traitOf } from './slot-traits.ts'
import type { DayOf } from './zone-day.ts'

/** What a rule is evaluated over: the slots of a person, and where each leaf's state is in them. */
export interface Subject {
  readonly slots: readonly SlotState[]
  /** Key of a leaf's state: `leafKey(segment, version, leaf.id)`. */
  readonly keyOf: (leaf: DidLeaf) => string
  readonly dayOf: DayOf
}

export interface Verdict {
  readonly value: boolean
  /** The earliest time at which time alone may change the value; null: never. */
  readonly next: Millis | null
  /** A bound threw something away that this answer may have needed. */
  readonly partial: boolean
}

export interface DidVerdict extends Verdict {
  /** Events, days, or 1/10000 of a sum. */
  readonly measured: bigint
  /** Counts stop one beyond what the comparison needs. */
  readonly atLeast: boolean
  /** Times behind it that are kept, ascending. */
  readonly times: readonly Millis[]
}

/** The value of a rule for one person at one clock. Every leaf is looked at: each may have a time of its own. */
export const evaluate = (rule: Rule, subject: Subject, clock: Millis): Verdict => {
  switch (rule.kind) {
    case 'all':
      return combine(rule.of.map((inner) => evaluate(inner, subject, clock)), (values) => values.every(Boolean))
    case 'any':
      return combine(rule.of.map((inner) => evaluate(inner, subject, clock)), (values) => values.some(Boolean))
    case 'not': {
      const inner = evaluate(rule.of, subject, clock)
      return { ...inner, value: !inner.value }
    }
    case 'did':
      return evaluateDid(rule, stateOf(rule, subject), clock, subject.dayOf)
    case 'profile':
      return evaluateProfile(rule, subject)
  }
}

const combine = (verdicts: readonly Verdict[], value: (values: readonly boolean[]) => boolean): Verdict => ({
  value: value(verdicts.map((verdict) => verdict.value)),
  next: earliest(verdicts.map((verdict) => verdict.next)),
  partial: verdicts.some((verdict) => verdict.partial),
})

export const earliest = (times: readonly (Millis | null)[]): Millis | null => {
  let best: Millis | null = null
  for (const time of times) if (time !== null && (best === null || time < best)) best = time
  return best
}

/** The leaf's states of all slots of a person. */
export const stateOf = (leaf: DidLeaf, { slots, keyOf: key }: Subject): readonly LeafState[] => {
  const name = key(leaf)
  const states: LeafState[] = []
  for (const { leaves } of slots) {
    const found = leaves[name]
    if (found) states.push(wholeOf(found))
  }
  return states
}

export const evaluateProfile = ({ condition }: ProfileLeaf, { slots }: Pick<Subject, 'slots'>): Verdict & { trait: Trait | undefined } => {
  const { trait, partial } = traitOf(slots, condition.trait)
  return { trait, value: matchesValue(condition, trait?.[0]), next: null, partial: partial || slots.some((slot) => slot.partial) }
}

/** A `did` leaf over the states of all numbers of a person. */
export const evaluateDid = (leaf: DidLeaf, states: readonly LeafState[], clock: Millis, dayOf: DayOf): DidVerdict => {
  const floor = leaf.windowMs === null ? -Infinity : clock - leaf.windowMs
  const whole = states.length === 1 ? states[0]! : states.reduce(mergeLeaf, emptyLeaf)
  const [from, to] = [firstAbove(whole.t, floor), firstAbove(whole.t, clock)]
  const tally = tallyOf(leaf, whole, dayOf)
  for (let index = from; index < to; index++) tally.change(index, 1)
  const measured = tally.value()
  const value = compares(leaf, measured)
  return {
    value,
    measured: BigInt(measured),
    atLeast: isTruncated(leaf) && measured >= keepOf(leaf),
    times: from === 0 && to === whole.t.length ? whole.t : whole.t.slice(from, to),
    next: nextChange(leaf, value, { t: whole.t, from, to }, tally),
    partial: whole.cut !== undefined && whole.cut > floor,
  }
}

const isTruncated = ({ measure, windowMs }: DidLeaf): boolean =>
  measure === 'distinct-days' || (measure === 'count' && windowMs !== null)

/** Walks forward over the moments at which an event enters or leaves the window, to the first that matters. */
const nextChange = (
  leaf: DidLeaf,
  value: boolean,
  { t, from, to }: { readonly t: readonly Millis[]; readonly from: number; readonly to: number },
  tally: Tally,
): Millis | null => {
  const length = leaf.windowMs ?? Infinity
  const leavesAt = (index: number): Millis => (t[index] ?? Infinity) + length
  const entersAt = (index: number): Millis => t[index] ?? Infinity
  let [leave, enter] = [from, to]
  for (;;) {
    const at = Math.min(leavesAt(leave), entersAt(enter))
    if (at === Infinity) return null
    for (; entersAt(enter) === at; enter++) tally.change(enter, 1)
    for (; leavesAt(leave) === at; leave++) tally.change(leave, -1)
    if (compares(leaf, tally.value()) !== value) return at
  }
}

/** The measure while entries (by index) come and go. Sums are exact: a bigint, the others fit a number. */
interface Tally {
  readonly change: (index: number, sign: 1 | -1) => void
  readonly value: () => number | bigint
}

const tallyOf = (leaf: DidLeaf, state: LeafState, dayOf: DayOf): Tally => {
  if (leaf.measure === 'distinct-days') return tallyOfDays(state, dayOf)
  if (leaf.measure === 'sum') {
    let sum = BigInt(state.s ?? 0)
    return { change: (index, sign) => void (sum += BigInt(sign * state.a![index]!)), value: () => sum }
  }
  let count = state.n ?? 0
  return { change: (_index, sign) => void (count += sign), value: () => count }
}

const tallyOfDays = ({ t }: LeafState, dayOf: DayOf): Tally => {
  const days = new Map<number, number>()
  return {
    change: (index, sign) => {
      const day = dayOf(t[index]!)
      const left = (days.get(day) ?? 0) + sign
      if (left === 0) days.delete(day)
      else days.set(day, left)
    },
    value: () => days.size,
  }
}

const compares = ({ comparison, measure }: DidLeaf, measured: number | bigint): boolean => {
  const unit = (value: number): number => (measure === 'sum' ? toUnits(value) : value)
  if (comparison.op === 'between') return measured >= unit(comparison.value[0]) && measured <= unit(comparison.value[1])
  const value = unit(comparison.value)
  switch (comparison.op) {
    case 'eq':
      return measured >= value && measured <= value
    case 'neq':
      return measured < value || measured > value
    case 'gt':
      return measured > value
    case 'gte':
      return measured >= value
    case 'lt':
      return measured < value
    case 'lte':
      return measured <= value
  }
}

export const isDid = (leaf: RuleLeaf): leaf is DidLeaf => leaf.kind === 'did'
