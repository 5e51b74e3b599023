import type { Millis } from './event.ts'
import { changed, standing, type TraitChangeKind, type TraitStanding } from './trait-changes.ts'

/** Where a change stands: by the time of its event, then by its message id. */
export type TraitAt = readonly [time: Millis, messageId: string]

/**
 * A kept change of one trait that is no plain set, with the event and source that made it (empty where nobody asks).
 * `since`: changes between there and here were thinned out, and are accounted for in this one. A `base` stands for all
 * changes since then; `torn` says that one of them came after the base was made.
 */
export type TraitStep = readonly [
  time: Millis, messageId: string, kind: Exclude<TraitChangeKind, 'set'> | 'base', value: unknown, event: string, source: string,
  since?: TraitAt, torn?: true,
]

/** What a trait's steps start from: its newest plain set (or unset: null), or the person's newest delete if that is later. */
export interface TraitFloor {
  /** null: nothing was ever set or deleted. */
  readonly at: TraitAt | null
  readonly value: unknown
  /** A delete hides the steps of its own event too. */
  readonly deleted: boolean
}

export const compareAt = (a: readonly [Millis, string, ...unknown[]], b: readonly [Millis, string, ...unknown[]]): number =>
  a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0)

export const floorOf = (set: readonly [Millis, string, unknown, ...unknown[]] | undefined, deleted: TraitAt | undefined): TraitFloor => {
  if (deleted && (!set || compareAt(set, deleted) <= 0)) return { at: deleted, value: null, deleted: true }
  return { at: set ? [set[0], set[1]] : null, value: set?.[2] ?? null, deleted: false }
}

export interface FoldedTrait {
  /** null: the person has no such trait. */
  readonly value: unknown
  /** A bound threw something away that this value may have needed. */
  readonly partial: boolean
  /** The value after each step that changed it, oldest first. */
  readonly changes: readonly (readonly [value: unknown, step: TraitStep])[]
}

/** The value of a trait: all its steps in order, from its floor on. */
export const foldTrait = (floor: TraitFloor, steps: readonly TraitStep[]): FoldedTrait => {
  const changes: (readonly [unknown, TraitStep])[] = []
  let now: TraitStanding = standing(floor.value)
  let lastList: TraitStep | null = null
  let partial = false
  for (const step of steps) {
    const before = now
    partial ||= isTorn(step, floor, before, lastList)
    now = changed(before, step[2] === 'base' ? 'set' : step[2], step[3])
    if (now !== before) changes.push([now.value, step])
    if (Array.isArray(now.value) && now !== before) lastList = step
  }
  return { value: now.value, partial: partial || now.cut, changes }
}

/** Whether what was thinned out may have stood on the other side of a change that came later. */
const isTorn = (step: TraitStep, floor: TraitFloor, before: TraitStanding, lastList: TraitStep | null): boolean => {
  const [, , kind, , , , since, torn] = step
  if (!since) return false
  const order = floor.at ? compareAt(since, floor.at) : 1
  if (kind === 'base') return torn === true || order < 0
  const isCut = order < 0 || (order === 0 && floor.deleted)
  // The first of the same values is hidden: the next one is known only where nothing else came before it.
  if (kind === 'once') return isCut && floor.value === null && before.value !== null
  return isCut || (lastList !== null && compareAt(since, lastList) < 0)
}
