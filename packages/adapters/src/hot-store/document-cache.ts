import type { Document } from '@millrace/ports'

interface CachedDocument {
  readonly document: Document
  readonly endsAt: number
}

/** Decoded documents that were read lately; the oldest goes when it is full. */
export interface DocumentCache {
  get(key: Buffer): CachedDocument | undefined
  keep(key: Buffer, found: CachedDocument | undefined): CachedDocument | undefined
  drop(key: Buffer): void
}

export const createDocumentCache = (entriesMax: number): DocumentCache => {
  const entries = new Map<string, CachedDocument>()
  return {
    get: (key) => {
      const name = key.toString('latin1')
      const found = entries.get(name)
      if (!found) return undefined
      entries.delete(name)
      entries.set(name, found)
      return found
    },
    keep: (key, found) => {
      if (!found || entriesMax <= 0) return found
      entries.set(key.toString('latin1'), found)
      if (entries.size > entriesMax) entries.delete(entries.keys().next().value!)
      return found
    },
    drop: (key) => {
      entries.delete(key.toString('latin1'))
    },
  }
}
