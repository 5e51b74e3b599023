import type { Document } from '@millrace/ports'

export interface CachedDocument {
  readonly document: Document
  readonly endsAt: number
  /** Bytes as stored; in memory it takes some times that. */
  readonly bytes: number
}

/** Decoded documents that were read lately; the oldest goes when it is full. */
export interface RecentReads {
  get(key: Buffer): CachedDocument | undefined
  keep(key: Buffer, found: CachedDocument | undefined): CachedDocument | undefined
  drop(key: Buffer): void
}

export const createRecentReads = (entriesMax: number, bytesMax: number): RecentReads => {
  const entries = new Map<string, CachedDocument>()
  let bytes = 0
  const drop = (name: string): void => {
    bytes -= entries.get(name)?.bytes ?? 0
    entries.delete(name)
  }
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
      if (!found || entriesMax <= 0 || found.bytes > bytesMax) return found
      const name = key.toString('latin1')
      drop(name)
      entries.set(name, found)
      bytes += found.bytes
      for (const oldest of entries.keys()) {
        if (entries.size <= entriesMax && bytes <= bytesMax) break
        drop(oldest)
      }
      return found
    },
    drop: (key) => drop(key.toString('latin1')),
  }
}
