import type { HotStore } from '@millrace/ports'

export interface Changes {
  readonly puts: readonly (readonly [string, unknown])[]
  readonly deletes: readonly string[]
}

/**
 * Somebody else wrote the state: a copy that lost this partition and whose last write came late. What is in memory
 * lies behind it, so the partition is opened again from there.
 */
export class StateMoved extends Error {
  override readonly name = 'StateMoved'
}

/**
 * The documents of one scope that a consumer works on: loaded by key, changed in memory, written once a batch.
 * Whoever opens a partition makes a new one, so what a fenced consumer believed is thrown away (R17).
 */
export class DocumentCache {
  /** In the order of their last load: the first is dropped first. null: the store has none. */
  private readonly documents = new Map<string, unknown>()
  private readonly dirty = new Set<string>()
  private readonly hot: HotStore
  private readonly scope: string
  private readonly sizeMax: number
  /** The position that the stored documents include, as far as this copy knows. */
  private watermark: number | null

  constructor(hot: HotStore, scope: string, watermark: number | null, sizeMax: number) {
    this.hot = hot
    this.scope = scope
    this.watermark = watermark
    this.sizeMax = sizeMax
  }

  /** Of a loaded document; null where the store has none, undefined where it was not loaded. */
  readonly get = (key: string): unknown => this.documents.get(key)

  set(key: string, document: unknown): void {
    this.documents.set(key, document)
    this.dirty.add(key)
  }

  /**
   * Makes sure that `get` knows these, and that they are dropped last.
   * @throws StateMoved when they may include more than this copy has folded: they would be folded twice
   */
  async load(keys: Iterable<string>): Promise<void> {
    const missing: string[] = []
    for (const key of new Set(keys)) {
      const known = this.documents.get(key)
      if (known === undefined) missing.push(key)
      else {
        this.documents.delete(key)
        this.documents.set(key, known)
      }
    }
    if (missing.length === 0) return
    const found = await this.hot.get(this.scope, missing)
    await this.checkUnmoved()
    missing.forEach((key, at) => this.documents.set(key, found[at] ?? null))
  }

  /** What was set since the last call. */
  takeChanges(): Changes {
    const puts: (readonly [string, unknown])[] = []
    const deletes: string[] = []
    for (const key of this.dirty) {
      const document = this.documents.get(key)
      if (document === null) deletes.push(key)
      else puts.push([key, document])
    }
    this.dirty.clear()
    return { puts, deletes }
  }

  /** Documents and watermark are written as one, so what was read before an unchanged watermark is not ahead of it. */
  async checkUnmoved(): Promise<void> {
    if ((await this.hot.watermark(this.scope)) !== this.watermark) throw new StateMoved(`the state of ${this.scope} was written by another copy`)
  }

  /** After a batch was stored: nothing is dirty. Keeps the memory within its bound. */
  stored(watermark: number): void {
    this.watermark = watermark
    const tooMany = this.documents.size - this.sizeMax
    let dropped = 0
    for (const key of this.documents.keys()) {
      if (dropped++ >= tooMany) return
      this.documents.delete(key)
    }
  }
}
