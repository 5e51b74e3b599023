import { type CanonicalEvent, compareOrder, type Millis } from '@millrace/contracts'
import { type LeafStates, mergeLeaf } from './leaf-state.ts'
import { finite } from './match.ts'

/** A trait with the order of the event that set it. */
export type Trait = readonly [value: unknown, time: Millis, messageId: string]

/** What segmentation keeps of one number in one stay. Plain JSON: it is stored, and travels with the number. */
export interface SlotState {
  readonly traits: Readonly<Record<string, Trait>>
  /** By `leafKey`. */
  readonly leaves: Readonly<Record<string, LeafStates>>
  /** There were more traits than the bound; profile leaves of this person may be wrong. */
  readonly partial?: true
}

export const SLOT_BOUNDS = { traitsMax: 500, textMax: 8192 } as const

/** Names the state of one leaf of one version of a segment, so that an edited rule starts anew. */
export const leafKey = (segment: string, version: number, leaf: string): string => `${segment}@${version}/${leaf}`
export const parseLeafKey = (key: string): { segment: string; version: number } => {
  const at = key.lastIndexOf('@')
  return { segment: key.slice(0, at), version: Number(key.slice(at + 1, key.lastIndexOf('/'))) }
}

/** For the person side of the identity protocol. */
export const slotAlgebra = {
  empty: (): SlotState => ({ traits: {}, leaves: {} }),
  add: (x: SlotState, y: SlotState): SlotState => ({
    ...boundTraits({ ...x.traits, ...newer(y.traits, x.traits) }),
    leaves: mergeLeaves(x.leaves, y.leaves),
    ...(x.partial || y.partial ? { partial: true } : {}),
  }),
  isEmpty: (state: SlotState): boolean => isBare(state.traits) && isBare(state.leaves),
}

const isBare = (object: object): boolean => {
  for (const _ in object) return false
  return true
}

const newer = (traits: SlotState['traits'], than: SlotState['traits']): SlotState['traits'] =>
  Object.fromEntries(
    Object.entries(traits).filter(([name, trait]) => !Object.hasOwn(than, name) || wins(trait, than[name]!)),
  )

const wins = (x: Trait, y: Trait): boolean =>
  compareOrder({ time: x[1], messageId: x[2] }, { time: y[1], messageId: y[2] }) > 0

const mergeLeaves = (x: SlotState['leaves'], y: SlotState['leaves']): SlotState['leaves'] => {
  const merged: Record<string, LeafStates> = { ...x }
  for (const [key, states] of Object.entries(y)) {
    const there = merged[key]
    // A past is computed once per number: two of them are the same one, delivered twice.
    const [p, l] = [there?.p ?? states.p, there?.l && states.l ? mergeLeaf(there.l, states.l) : (there?.l ?? states.l)]
    merged[key] = { ...(p ? { p } : {}), ...(l ? { l } : {}) }
  }
  return merged
}

/** Traits that the event sets. A group's traits are the group's; lists and objects only say that they are there. */
export const withTraits = (state: SlotState, event: CanonicalEvent): SlotState => {
  if (event.type === 'group' || isBare(event.traits)) return state
  const set = Object.entries(event.traits).map(
    ([name, value]): [string, Trait] => [name, [traitValue(value), event.timestamp, event.messageId]],
  )
  const won = newer(Object.fromEntries(set), state.traits)
  return isBare(won) ? state : { ...state, ...boundTraits({ ...state.traits, ...won }) }
}

/** What a rule can ask of a value; the order of two traits decides, so the content may be shortened. */
export const traitValue = (value: unknown): unknown => {
  if (typeof value === 'string') return value.slice(0, SLOT_BOUNDS.textMax)
  return typeof value === 'object' && value !== null ? {} : finite(value)
}

/** Over the bound the names first in order stay: the outcome does not depend on which came first. */
const boundTraits = (traits: SlotState['traits']): Pick<SlotState, 'traits' | 'partial'> => {
  const names = Object.keys(traits)
  if (names.length <= SLOT_BOUNDS.traitsMax) return { traits }
  const kept = names.sort().slice(0, SLOT_BOUNDS.traitsMax)
  return { traits: Object.fromEntries(kept.map((name) => [name, traits[name]!])), partial: true }
}

/** The trait of a person: the latest over its numbers. */
export const traitOf = (slots: readonly SlotState[], name: string): Trait | undefined => {
  let best: Trait | undefined
  for (const { traits } of slots) {
    const found = Object.hasOwn(traits, name) ? traits[name] : undefined
    if (found && (!best || wins(found, best))) best = found
  }
  return best
}
