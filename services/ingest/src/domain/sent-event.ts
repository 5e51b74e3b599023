import type { Refusal } from '@millrace/contracts'

/** One event of a request: read, and as it was sent. */
export interface SentEvent {
  /** Parsed; of an event that was only scanned, the fields that the checks look at. */
  readonly raw: unknown
  /** Its bytes, or the body that it lies in. */
  readonly bytes: Buffer
  readonly start: number
  /** Behind its last brace. */
  readonly end: number
  /** The scanner has checked its depth and that it is UTF-8. */
  readonly scanned: boolean
  /** Found while it was read: it goes no further. */
  readonly refusal?: Refusal
}
