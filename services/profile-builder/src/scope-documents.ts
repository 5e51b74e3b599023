import type { OwnScope } from '@millrace/service-kit'

export interface Changes {
  readonly puts: readonly (readonly [string, unknown])[]
  readonly deletes: readonly string[]
}

/**
 * The documents of one scope that a consumer works on: loaded by key, changed in memory, written once a batch.
 * Whoever opens a partition makes a new one, so what a fenced consumer believed is thrown away (R17).
 */
export class ScopeDocuments {
  /** In the order of their last load: the first is dropped first. null: the store has none. */
  private readonly documents = new Map<string, unknown>()
  private readonly dirty = new Set<string>()
  private readonly scope: OwnScope
  private readonly sizeMax: number

  constructor(scope: OwnScope, sizeMax: number) {
    this.scope = scope
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
    const found = await this.scope.get(missing)
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

  /** After a batch was stored: nothing is dirty. Keeps the memory within its bound. */
  stored(watermark: number): void {
    this.scope.stored(watermark)
    const tooMany = this.documents.size - this.sizeMax
    let dropped = 0
    for (const key of this.documents.keys()) {
      if (dropped++ >= tooMany) return
      this.documents.delete(key)
    }
  }
}
