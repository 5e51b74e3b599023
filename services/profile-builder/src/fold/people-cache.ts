import type { ProfileDocument } from './documents.ts'

/** Documents used last, by weight. Absent persons are remembered too, so that a new person costs one read. */
export interface PeopleCache {
  get(key: string): ProfileDocument | null | undefined
  set(key: string, document: ProfileDocument | null): void
}

const FIXED_BYTES = 400

/** About what a document takes in memory; exact would cost more than it is worth. */
const weightOf = (document: ProfileDocument | null): number => {
  let weight = FIXED_BYTES
  for (const id in document?.slots) {
    const { state } = document!.slots[id as `${number}@${number}`]!
    weight += 1000 + state.active.length * 8 + state.traits.length * 300
    for (const [, , steps] of state.traits) weight += (steps?.length ?? 0) * 200
    weight += (state.names.length + state.orders.length + state.devices.length + state.channels.length) * 150
  }
  return weight
}

/** Least recently used goes first. The order of a Map is the order of use. */
export const createPeopleCache = (bytesMax: number): PeopleCache => {
  const entries = new Map<string, { document: ProfileDocument | null; weight: number }>()
  let bytes = 0
  const drop = (key: string): void => {
    bytes -= entries.get(key)?.weight ?? 0
    entries.delete(key)
  }
  return {
    get: (key) => {
      const entry = entries.get(key)
      if (!entry) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry.document
    },
    set: (key, document) => {
      drop(key)
      const weight = weightOf(document)
      entries.set(key, { document, weight })
      bytes += weight
      for (const oldest of entries.keys()) {
        if (bytes <= bytesMax) break
        drop(oldest)
      }
    },
  }
}
