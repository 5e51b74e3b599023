import type { CanonicalEvent } from '@millrace/contracts'
import { bounds, later, markPartial, type ProfileState, type TraitRow, type TraitVersion } from './state.ts'
import { put } from './tables.ts'

/**
 * Sets the traits of an event. Traits of a group belong to the group and not to the person.
 * Kept are the last distinct values, each at the latest time at which it was set.
 */
export const includeTraits = (state: ProfileState, event: CanonicalEvent): void => {
  if (event.type === 'group') return
  for (const name in event.traits) {
    const value = event.traits[name]
    if (value === undefined) continue
    if (typeof value === 'object' && value !== null && JSON.stringify(value).length > bounds.traitValueChars) {
      markPartial(state, 'traits')
      continue
    }
    if ((typeof value === 'string' && value.length > bounds.traitValueChars) || name.length > bounds.textChars) {
      markPartial(state, 'traits')
      continue
    }
    // `1e400` is JSON, but none that could be stored or told: as a state that travels it would come back as null.
    const kept = typeof value === 'number' && !Number.isFinite(value) ? null : value
    const version: TraitVersion = [event.timestamp, event.messageId, kept, event.event, event.source]
    const dropped = put<TraitRow>(state.traits, name, bounds.traits, (row) => [name, row ? withVersion(row[1], version) : [version]])
    if (dropped) markPartial(state, 'traits')
  }
}

export const addTraitRows = (a: TraitRow, b: TraitRow): TraitRow => [a[0], b[1].reduce(withVersion, a[1])]

/**
 * A value is in the sum when fewer than the bound of other values were set later. That holds in each part of the sum
 * too, so the bound does not make the order of additions show.
 */
const withVersion = (versions: readonly TraitVersion[], version: TraitVersion): readonly TraitVersion[] => {
  const newest = versions[0]!
  if (laterVersion(version, newest) > 0) {
    if (sameValue(newest[2], version[2])) return [version, ...versions.slice(1)]
  } else if (sameValue(newest[2], version[2])) return versions
  const all = [...versions, version].sort((x, y) => laterVersion(y, x))
  const distinct = all.filter((x, at) => all.findIndex((y) => sameValue(x[2], y[2])) === at)
  return distinct.slice(0, bounds.traitVersions)
}

const laterVersion = (a: TraitVersion, b: TraitVersion): number => later(a[0], a[1], a, b[0], b[1], b)

const sameValue = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)))

/** Keys in one order at each depth: senders differ in it, the value is the same. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)])
}
