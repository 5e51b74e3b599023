import type { Comparison, DidLeaf, Millis, ProfileLeaf, Rule, RuleLeaf } from '@millrace/contracts'
import { keepOf, type LeafState, wholeOf } from './leaf-state.ts'
import { matchesValue, toUnits } from './match.ts'
import { type SlotState, type Trait, traitOf } from './slot-state.ts'
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
  const trait = traitOf(slots, condition.trait)
  return { trait, value: matchesValue(condition, trait?.[0]), next: null, partial: slots.some((slot) => slot.partial) }
}

/** A `did` leaf over the states of all numbers of a person. */
export const evaluateDid = (leaf: DidLeaf, states: readonly LeafState[], clock: Millis, dayOf: DayOf): DidVerdict => {
  const floor = leaf.windowMs === null ? -Infinity : clock - leaf.windowMs
  const tally = tallyOf(leaf, states, dayOf)
  const times: Millis[] = []
  const changes: (readonly [at: Millis, time: Millis, amount: number, sign: 1 | -1])[] = []
  for (const { t, a } of states) {
    for (let index = 0; index < t.length; index++) {
      const [time, amount] = [t[index]!, a?.[index] ?? 0]
      if (time <= floor) continue
      if (time <= clock) tally.change(time, amount, 1)
      else changes.push([time, time, amount, 1])
      if (time <= clock) times.push(time)
      if (leaf.windowMs !== null) changes.push([time + leaf.windowMs, time, amount, -1])
    }
  }
  const measured = tally.value()
  const value = compares(leaf, measured)
  return {
    value,
    measured,
    atLeast: isTruncated(leaf) && measured >= BigInt(keepOf(leaf)),
    times: times.sort((x, y) => x - y),
    next: nextChange(leaf, value, changes, tally),
    partial: states.some(({ cut }) => cut !== undefined && cut > floor),
  }
}

const isTruncated = ({ measure, windowMs }: DidLeaf): boolean =>
  measure === 'distinct-days' || (measure === 'count' && windowMs !== null)

/** Walks forward over the moments at which an event enters or leaves the window, to the first that matters. */
const nextChange = (
  leaf: DidLeaf,
  value: boolean,
  changes: (readonly [at: Millis, time: Millis, amount: number, sign: 1 | -1])[],
  tally: Tally,
): Millis | null => {
  changes.sort((x, y) => x[0] - y[0])
  for (let index = 0; index < changes.length; ) {
    const at = changes[index]![0]
    for (; index < changes.length && changes[index]![0] === at; index++) {
      const [, time, amount, sign] = changes[index]!
      tally.change(time, amount, sign)
    }
    if (compares(leaf, tally.value()) !== value) return at
  }
  return null
}

interface Tally {
  readonly change: (time: Millis, amount: number, sign: 1 | -1) => void
  readonly value: () => bigint
}

const tallyOf = (leaf: DidLeaf, states: readonly LeafState[], dayOf: DayOf): Tally => {
  if (leaf.measure === 'distinct-days') return tallyOfDays(dayOf)
  if (leaf.measure === 'sum') {
    let sum = states.reduce((total, { s }) => total + BigInt(s ?? 0), 0n)
    return { change: (_time, amount, sign) => void (sum += BigInt(sign * amount)), value: () => sum }
  }
  let count = states.reduce((total, { n }) => total + (n ?? 0), 0)
  return { change: (_time, _amount, sign) => void (count += sign), value: () => BigInt(count) }
}

const tallyOfDays = (dayOf: DayOf): Tally => {
  const days = new Map<number, number>()
  return {
    change: (time, _amount, sign) => {
      const day = dayOf(time)
      const left = (days.get(day) ?? 0) + sign
      if (left === 0) days.delete(day)
      else days.set(day, left)
    },
    value: () => BigInt(days.size),
  }
}

const compares = ({ comparison, measure }: DidLeaf, measured: bigint): boolean =>
  compare(comparison, measured, measure === 'sum' ? toUnits : (value) => value)

const compare = (comparison: Comparison, measured: bigint, unit: (value: number) => number): boolean => {
  if (comparison.op === 'between') {
    return measured >= unit(comparison.value[0]) && measured <= unit(comparison.value[1])
  }
  const value = unit(comparison.value)
  switch (comparison.op) {
    case 'eq':
      return measured === BigInt(value)
    case 'neq':
      return measured !== BigInt(value)
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
