import { ACTIVITY_TYPES, type CanonicalEvent, type DidLeaf, eachTraitChange, leavesOf, type Millis, type Rule } from '@millrace/contracts'
import { addEvent, emptyLeaf, settle } from './leaf-state.ts'
import { amountOf, matchesEvent } from './match.ts'
import { leafKey, type SlotState } from './slot-state.ts'
import { withTraits } from './slot-traits.ts'
import type { DayOf } from './zone-day.ts'

/** A rule in force: of which segment, in which version. */
export interface KnownRule {
  readonly segment: string
  readonly version: number
  readonly rule: Rule
}

/** Which leaves an event can touch, looked up by its name and by the traits that it changes. */
export interface RuleIndex {
  readonly byEvent: ReadonlyMap<string, readonly IndexedLeaf[]>
  readonly byTrait: ReadonlyMap<string, readonly string[]>
}
interface IndexedLeaf {
  readonly segment: string
  readonly key: string
  readonly leaf: DidLeaf
}

export const indexRules = (rules: readonly KnownRule[]): RuleIndex => {
  const byEvent = new Map<string, IndexedLeaf[]>()
  const byTrait = new Map<string, string[]>()
  for (const { segment, version, rule } of rules) {
    for (const leaf of leavesOf(rule)) {
      if (leaf.kind === 'did') put(byEvent, leaf.event, { segment, key: leafKey(segment, version, leaf.id), leaf })
      else put(byTrait, leaf.condition.trait, segment)
    }
  }
  return { byEvent, byTrait }
}

const put = <Value>(map: Map<string, Value[]>, key: string, value: Value): void => {
  const there = map.get(key)
  if (there) there.push(value)
  else map.set(key, [value])
}

export interface Touched {
  readonly state: SlotState
  /** Segments whose rule may have a new value. */
  readonly segments: ReadonlySet<string>
}

const NOTHING: ReadonlySet<string> = new Set()

/** Folds an event into the slot of its number: traits, and the leaves that it matches. */
export const touch = (index: RuleIndex, state: SlotState, event: CanonicalEvent, clock: Millis, dayOf: DayOf): Touched => {
  const traited = withTraits(state, event)
  const named = event.event === '*' ? [] : (index.byEvent.get(event.event) ?? [])
  const any = ACTIVITY_TYPES.includes(event.type) ? (index.byEvent.get('*') ?? []) : []
  if (named.length === 0 && any.length === 0 && traited === state) return { state, segments: NOTHING }
  const segments = new Set<string>()
  if (traited !== state) for (const one of touchedByTraits(index, event)) segments.add(one)
  let leaves: Record<string, SlotState['leaves'][string]> | undefined
  for (const { segment, key, leaf } of any.length === 0 ? named : [...named, ...any]) {
    const amount = matchesEvent(leaf, event) ? amountOf(leaf, event) : null
    if (amount === null) continue
    leaves ??= { ...traited.leaves }
    const live = settle(leaf, addEvent(leaf, leaves[key]?.l ?? emptyLeaf, event.timestamp, amount), clock, dayOf)
    const past = leaves[key]?.p
    leaves[key] = past ? { p: settle(leaf, past, clock, dayOf), l: live } : { l: live }
    segments.add(segment)
  }
  return { state: leaves ? { ...traited, leaves } : traited, segments }
}

/** Segments with a leaf on a trait that the event changes; a delete changes all. */
const touchedByTraits = ({ byTrait }: RuleIndex, event: CanonicalEvent): readonly string[] => {
  if (event.traitOps?.delete) return [...byTrait.values()].flat()
  const touched: string[] = []
  eachTraitChange(event, (name) => touched.push(...(byTrait.get(name) ?? [])))
  return touched
}
