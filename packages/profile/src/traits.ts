import {
  type CanonicalEvent, compareAt, eachTraitChange, floorOf, foldTrait, joinSteps, sameValue, type TraitAt, type TraitChangeKind, type TraitStep,
} from '@millrace/contracts'
import { bounds, later, markPartial, type ProfileState, type TraitRow, type TraitVersion } from './state.ts'
import { put } from './tables.ts'

/**
 * What an event does to the traits of its person; those of a group belong to the group. Kept of plain sets are the last
 * distinct values, each at the latest time at which it was set, and of other changes those that come after the last set.
 */
export const includeTraits = (state: ProfileState, event: CanonicalEvent): void => {
  if (event.traitOps?.delete && event.type !== 'group') {
    state.deleted = latestDelete(state.deleted, [event.timestamp, event.messageId])
    state.traits = visibleRows(state.traits, state.deleted)
    return
  }
  if (state.deleted && compareAt([event.timestamp, event.messageId], state.deleted) <= 0) return
  eachTraitChange(event, (name, kind, value) => includeChange(state, event, name, kind, value))
}

const includeChange = (state: ProfileState, { timestamp, messageId, event, source }: CanonicalEvent, name: string, kind: TraitChangeKind, value: unknown): void => {
  // Lists of changes have a bound of their own.
  const isLong = (kind === 'set' || kind === 'once') && isOverChars(value)
  if (isLong || name.length > bounds.textChars) return markPartial(state, 'traits')
  // `1e400` is JSON, but none that could be stored or told: as a state that travels it would come back as null.
  const kept = typeof value === 'number' && !Number.isFinite(value) ? null : value
  const row: TraitRow = kind === 'set' ? [name, [[timestamp, messageId, kept, event, source]]] : [name, [], [[timestamp, messageId, kind, kept, event, source]]]
  if (put<TraitRow>(state.traits, name, bounds.traits, (before) => (before ? addTraitRows(before, row, state.deleted) : row))) markPartial(state, 'traits')
}

const isOverChars = (value: unknown): boolean =>
  typeof value === 'string' ? value.length > bounds.traitValueChars
    : typeof value === 'object' && value !== null && JSON.stringify(value).length > bounds.traitValueChars

export const addTraitRows = (a: TraitRow, b: TraitRow, deleted: TraitAt | undefined): TraitRow => {
  const versions = b[1].reduce(withVersion, a[1])
  return rowOf(a[0], versions, a[2] || b[2] ? joinSteps(floorOf(versions[0], deleted), a[2] ?? [], b[2] ?? []) : [])
}

/** A row without steps has no place for them: most have none. */
const rowOf = (name: string, versions: readonly TraitVersion[], steps: readonly TraitStep[]): TraitRow =>
  steps.length > 0 ? [name, versions, steps] : [name, versions]

export const latestDelete = (a: TraitAt | undefined, b: TraitAt | undefined): TraitAt | undefined => (!a || (b && compareAt(b, a) > 0) ? b : a)

/** What a delete leaves: the changes that come after it. */
export const visibleRows = (rows: TraitRow[], deleted: TraitAt | undefined): TraitRow[] => {
  if (!deleted) return rows
  return rows.flatMap(([name, before, steps = []]) => {
    const versions = before.filter((version) => compareAt(version, deleted) > 0)
    const row = rowOf(name, versions, joinSteps(floorOf(versions[0], deleted), steps, []))
    return versions.length > 0 || row[2] ? [row] : []
  })
}

export interface ToldTrait {
  /** null: unset. */
  readonly value: unknown
  /** Its last distinct values, newest first: what was set, and what the changes since the last set made of it. */
  readonly history: readonly TraitVersion[]
  readonly partial: boolean
}

export const toldTrait = ([, versions, steps]: TraitRow, deleted: TraitAt | undefined): ToldTrait => {
  if (!steps) return { value: versions[0]![2], history: versions, partial: false }
  const { value, partial, changes } = foldTrait(floorOf(versions[0], deleted), steps)
  const made = changes.map(([after, [time, messageId, , , event, source]]): TraitVersion => [time, messageId, after, event, source])
  return { value, history: lastDistinct([...made.reverse(), ...versions]), partial }
}

/**
 * A value is in the sum when fewer than the bound of other values were set later. That holds in each part of the sum
 * too, so the bound does not make the order of additions show.
 */
const withVersion = (versions: readonly TraitVersion[], version: TraitVersion): readonly TraitVersion[] => {
  const newest = versions[0]
  if (!newest) return [version]
  if (laterVersion(version, newest) > 0) {
    if (sameValue(newest[2], version[2])) return [version, ...versions.slice(1)]
  } else if (sameValue(newest[2], version[2])) return versions
  return lastDistinct([...versions, version].sort((x, y) => laterVersion(y, x)))
}

/** Of versions, the newest first, the newest of each value. */
const lastDistinct = (versions: readonly TraitVersion[]): readonly TraitVersion[] =>
  versions.filter((x, at) => versions.findIndex((y) => sameValue(x[2], y[2])) === at).slice(0, bounds.traitVersions)

const laterVersion = (a: TraitVersion, b: TraitVersion): number => later(a[0], a[1], a, b[0], b[1], b)
