import { type LeafStates, mergeLeaf } from './leaf-state.ts'
import { isBare, joinTraits, type SlotTraits } from './slot-traits.ts'

/** What segmentation keeps of one number in one stay. Plain JSON: it is stored, and travels with the number. */
export interface SlotState extends SlotTraits {
  /** By `leafKey`. */
  readonly leaves: Readonly<Record<string, LeafStates>>
}

/** Names the state of one leaf of one version of a segment, so that an edited rule starts anew. */
export const leafKey = (segment: string, version: number, leaf: string): string => `${segment}@${version}/${leaf}`
export const parseLeafKey = (key: string): { segment: string; version: number } => {
  const at = key.lastIndexOf('@')
  return { segment: key.slice(0, at), version: Number(key.slice(at + 1, key.lastIndexOf('/'))) }
}

/** For the person side of the identity protocol. */
export const slotAlgebra = {
  empty: (): SlotState => ({ traits: {}, leaves: {} }),
  add: (x: SlotState, y: SlotState): SlotState => ({ ...joinTraits(x, y), leaves: mergeLeaves(x.leaves, y.leaves) }),
  isEmpty: ({ traits, steps, deleted, leaves }: SlotState): boolean => isBare(traits) && !steps && !deleted && isBare(leaves),
}

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
