/** Time comes in; nothing else reads the wall clock. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /** Runs `callback` once when the clock has moved by `ms`; the answer cancels it. */
  after(ms: number, callback: () => void): () => void
}

/** Chance comes in, too. */
export interface Ids {
  /** A new UUID (version 4). */
  uuid(): string
  /** Random bytes as lower-case hex, for keys and tokens. */
  secret(bytes: number): string
}
