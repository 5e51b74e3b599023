import type { StateWrite } from './event-log.ts'

/** A plain document: JSON values, Uint8Array allowed. Readers never change what they were given. */
export type Document = unknown

export interface Timer {
  readonly id: string
  readonly at: number
}

export interface Entry {
  readonly key: string
  readonly document: Document
}

/** The hot store does not answer, or takes nothing now. Whether a write was stored is not known: read again. */
export class HotStoreUnavailable extends Error {
  override readonly name = 'HotStoreUnavailable'
  readonly code = 'STORE_UNAVAILABLE'
}

/**
 * Documents and ordered timers by scope. A scope is the state of one consumer in one partition
 * (`resolve:3`); its writes are all or nothing, and only over a smaller watermark.
 */
export interface HotStore {
  /** The position that the state of the scope includes; null for an empty scope. */
  watermark(scope: string): Promise<number | null>
  /** One answer per key, in order; undefined where there is none. */
  get(scope: string, keys: readonly string[]): Promise<readonly (Document | undefined)[]>
  /** Entries whose key starts with `prefix`, behind `after`, in order of the key's bytes. */
  scan(scope: string, options: { prefix: string; after?: string; limit: number }): Promise<readonly Entry[]>
  /**
   * False, and nothing changed, when the stored watermark is not smaller (a fenced or repeated write), or is not
   * exactly `over`, the position that the writer's memory stands on (0 for an empty scope): a store that was flushed
   * or went back to an older copy would otherwise be taken for whole. Without `over` any smaller one will do.
   */
  apply(write: StateWrite, over?: number): Promise<boolean>
  /** Timers at or before `at`, earliest first, then by id. */
  timersDue(scope: string, at: number, limit: number): Promise<readonly Timer[]>
  /** The earliest timer, or null. */
  nextTimer(scope: string): Promise<Timer | null>
  /** Read, change, write of one document outside any watermark; `change` may run again on a conflict. */
  update(scope: string, key: string, change: (before: Document | undefined) => Document | undefined, ttlMs?: number): Promise<Document | undefined>
  /** Forgets the scope: documents, timers, watermark. */
  clear(scope: string): Promise<void>
  close(): Promise<void>
}
