import {
  type CanonicalEvent, compareAt, eachTraitChange, floorOf, foldTrait, joinSteps, type Millis, type TraitAt, type TraitChangeKind, type TraitFloor, type TraitStep,
} from '@millrace/contracts'
import { finite } from './match.ts'

/** A trait with the order of the event that set it. */
export type Trait = readonly [value: unknown, time: Millis, messageId: string]

/** What one number says of the traits of its person. */
export interface SlotTraits {
  /** The newest plain set of each; unset is null. */
  readonly traits: Readonly<Record<string, Trait>>
  /** Other changes, of traits that have any. */
  readonly steps?: Readonly<Record<string, readonly TraitStep[]>>
  /** The newest delete: it hides every change up to it, whichever number of the person made it. */
  readonly deleted?: TraitAt
  /** There were more traits than the bound; profile leaves of this person may be wrong. */
  readonly partial?: true
}

export const SLOT_BOUNDS = { traitsMax: 500, textMax: 8192 } as const

export const isBare = (object: object): boolean => {
  for (const _ in object) return false
  return true
}

/** With what the event changes; the same object when that is nothing. */
export const withTraits = <State extends SlotTraits>(state: State, event: CanonicalEvent): State => {
  if (event.type === 'group' || (event.traitOps === null && isBare(event.traits))) return state
  const said = saidBy(event)
  const news = said.deleted || said.steps || Object.entries(said.traits).some(([name, trait]) => isNewer(trait, own(state.traits, name)))
  if (!news) return state
  const { traits: _traits, steps: _steps, deleted: _deleted, partial: _partial, ...others } = state
  return { ...others, ...joinTraits(state, said) } as State
}

const saidBy = (event: CanonicalEvent): SlotTraits => {
  const at = [event.timestamp, event.messageId] as const
  if (event.traitOps?.delete) return { traits: {}, deleted: at }
  const traits: [string, Trait][] = []
  const steps = new Map<string, readonly TraitStep[]>()
  eachTraitChange(event, (name, kind, value) => {
    if (kind === 'set') traits.push([name, [traitValue(value), ...at]])
    // No rule asks what is in a list, and taking a value out leaves it a list.
    else if (kind !== 'remove') steps.set(name, [...(steps.get(name) ?? []), [...at, kind, stepValue(kind, value), '', '']])
  })
  return { traits: Object.fromEntries(traits), ...(steps.size > 0 ? { steps: Object.fromEntries(steps) } : {}) }
}

/** What a rule can ask of a value; the order of two traits decides, so the content may be shortened. */
export const traitValue = (value: unknown): unknown => {
  if (typeof value === 'string') return value.slice(0, SLOT_BOUNDS.textMax)
  if (typeof value !== 'object' || value === null) return finite(value)
  return Array.isArray(value) ? [] : {}
}

const stepValue = (kind: TraitChangeKind, value: unknown): unknown => (kind === 'add' ? value : kind === 'once' ? traitValue(value) : [])

/** The sum of what two numbers say, or what one says and an event. */
export const joinTraits = (x: SlotTraits, y: SlotTraits): SlotTraits => {
  const deleted = laterDelete(x.deleted, y.deleted)
  const newer = Object.entries(y.traits).filter(([name, trait]) => isNewer(trait, own(x.traits, name)))
  const traits = visible({ ...x.traits, ...Object.fromEntries(newer) }, deleted)
  const steps = joinedSteps(x.steps, y.steps, (name) => floorOf(setOf(own(traits, name)), deleted))
  return { ...boundNames(traits, steps, x.partial ?? y.partial), ...(deleted ? { deleted } : {}) }
}

const own = <Value>(from: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined =>
  from && Object.hasOwn(from, name) ? from[name] : undefined

const laterDelete = (a: TraitAt | undefined, b: TraitAt | undefined): TraitAt | undefined => (!a || (b && compareAt(b, a) > 0) ? b : a)

/** A set in the form that a fold starts from. */
const setOf = (trait: Trait | undefined): readonly [Millis, string, unknown] | undefined => trait && [trait[1], trait[2], trait[0]]

/** Two numbers of one person may have sent one message id with different content; then the content decides. */
const isNewer = (trait: Trait, than: Trait | undefined): boolean => {
  if (!than) return true
  const order = compareAt([trait[1], trait[2]], [than[1], than[2]])
  return order > 0 || (order === 0 && JSON.stringify(trait[0]) > JSON.stringify(than[0]))
}

const visible = (traits: SlotTraits['traits'], deleted: TraitAt | undefined): SlotTraits['traits'] => {
  if (!deleted) return traits
  return Object.fromEntries(Object.entries(traits).filter(([, [, time, messageId]]) => compareAt([time, messageId], deleted) > 0))
}

type Steps = readonly (readonly [name: string, steps: readonly TraitStep[]])[]

const joinedSteps = (x: SlotTraits['steps'], y: SlotTraits['steps'], floor: (name: string) => TraitFloor): Steps => {
  if (!x && !y) return []
  const names = new Set([...Object.keys(x ?? {}), ...Object.keys(y ?? {})])
  return [...names].map((name) => [name, joinSteps(floor(name), own(x, name) ?? [], own(y, name) ?? [])] as const).filter(([, steps]) => steps.length > 0)
}

/** Over the bound the names first in order stay: the outcome does not depend on which came first. */
const boundNames = (traits: SlotTraits['traits'], steps: Steps, partial: true | undefined): SlotTraits => {
  const names = new Set([...Object.keys(traits), ...steps.map(([name]) => name)])
  const isOver = names.size > SLOT_BOUNDS.traitsMax
  const kept = isOver ? new Set([...names].sort().slice(0, SLOT_BOUNDS.traitsMax)) : names
  const keptSteps = isOver ? steps.filter(([name]) => kept.has(name)) : steps
  return {
    traits: isOver ? Object.fromEntries(Object.entries(traits).filter(([name]) => kept.has(name))) : traits,
    ...(keptSteps.length > 0 ? { steps: Object.fromEntries(keptSteps) } : {}),
    ...(isOver || partial ? { partial: true } : {}),
  }
}

/** The trait of a person: over all its numbers; undefined where nothing is known of it. */
export const traitOf = (slots: readonly SlotTraits[], name: string): { readonly trait: Trait | undefined; readonly partial: boolean } => {
  let [set, deleted]: [Trait | undefined, TraitAt | undefined] = [undefined, undefined]
  let steps: readonly TraitStep[] = []
  for (const slot of slots) {
    const found = own(slot.traits, name)
    if (found && isNewer(found, set)) set = found
    deleted = laterDelete(deleted, slot.deleted)
    steps = [...steps, ...(own(slot.steps, name) ?? [])]
  }
  const floor = floorOf(setOf(set), deleted)
  if (steps.length === 0) return { trait: floor.deleted ? undefined : set, partial: false }
  const { value, partial, changes } = foldTrait(floor, joinSteps(floor, steps, []))
  const [time, messageId] = changes.at(-1)?.[1] ?? floor.at ?? steps[0]!
  return { trait: [traitValue(value), time, messageId], partial }
}
