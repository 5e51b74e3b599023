import type { HotStore } from '@millrace/ports'

export interface Changes {
  readonly puts: readonly (readonly [string, unknown])[]
  readonly deletes: readonly string[]
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

  constructor(hot: HotStore, scope: string, sizeMax: number) {
    this.hot = hot
    this.scope = scope
    this.sizeMax = sizeMax
  }

  /** Of a loaded document; null where the store has none, undefined where it was not loaded. */
  readonly get = (key: string): unknown => this.documents.get(key)

  set(key: string, document: unknown): void {
    this.documents.set(key, document)
    this.dirty.add(key)
  }

  /** Makes sure that `get` knows these, and that they are dropped last. */
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

  /** Only when nothing is dirty, after a batch was stored. */
  trim(): void {
    const tooMany = this.documents.size - this.sizeMax
    let dropped = 0
    for (const key of this.documents.keys()) {
      if (dropped++ >= tooMany) return
      this.documents.delete(key)
    }
  }
}
