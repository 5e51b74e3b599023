import { KEY_BYTES_MAX } from './keys.ts'

/** The tables of the embedded store; each is a named lmdb database. */
export const tableNames = [
  'records', 'extents', 'positions', 'documents', 'watermarks', 'timers', 'timer-ids', 'expiries',
] as const

export type Table = (typeof tableNames)[number]

export interface Range {
  readonly start: Buffer
  readonly end: Buffer
  readonly limit?: number
}

export interface Row {
  readonly key: Buffer
  readonly value: Buffer
}

/** What is read: the committed store, or the committed store with writes laid over it. */
export interface Reader {
  get(table: Table, key: Buffer): Buffer | undefined
}

/**
 * Writes that will become one transaction. Reads see the writes made before, so several steps planned into
 * one transaction build on each other; a step that throws is planned in a set of its own and never merged.
 */
export class WriteSet implements Reader {
  readonly #below: Reader
  readonly #writes = new Map<Table, Map<string, { key: Buffer; value: Buffer | null }>>()

  constructor(below: Reader) {
    this.#below = below
  }

  get(table: Table, key: Buffer): Buffer | undefined {
    const written = this.#writes.get(table)?.get(key.toString('latin1'))
    return written ? (written.value ?? undefined) : this.#below.get(table, key)
  }

  put(table: Table, key: Buffer, value: Buffer): void {
    if (key.length > KEY_BYTES_MAX) throw new Error(`a key of ${key.length} bytes is too long, ${KEY_BYTES_MAX} is the most`)
    this.#table(table).set(key.toString('latin1'), { key, value })
  }

  remove(table: Table, key: Buffer): void {
    if (key.length > KEY_BYTES_MAX) return
    this.#table(table).set(key.toString('latin1'), { key, value: null })
  }

  /** Keys written here (not below) in the table, whether put or removed. */
  touched(table: Table): IterableIterator<{ key: Buffer; value: Buffer | null }> {
    return (this.#writes.get(table) ?? new Map<string, never>()).values()
  }

  /** Keys written here and in the sets below, none of them committed yet. */
  *pending(table: Table): Generator<{ key: Buffer }> {
    if (this.#below instanceof WriteSet) yield* this.#below.pending(table)
    yield* this.touched(table)
  }

  merge(above: WriteSet): void {
    for (const [table, writes] of above.#writes) {
      const own = this.#table(table)
      for (const [name, write] of writes) own.set(name, write)
    }
  }

  isEmpty(): boolean {
    return this.#writes.size === 0
  }

  #table(table: Table): Map<string, { key: Buffer; value: Buffer | null }> {
    let writes = this.#writes.get(table)
    if (!writes) this.#writes.set(table, (writes = new Map()))
    return writes
  }
}
