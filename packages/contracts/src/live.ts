/** An event as the page shows it a moment after it was stored; times are ISO. */
export interface LiveEvent {
  readonly messageId: string
  readonly type: string
  readonly event: string
  /** null for an event without an identity. */
  readonly personId: string | null
  readonly userId: string | null
  readonly anonymousId: string | null
  readonly channel: string
  readonly source: string
  readonly timestamp: string
  readonly receivedAt: string
}
export interface LiveRefusal {
  readonly code: string
  readonly detail: string
  readonly source: string
  readonly messageId: string | null
  readonly receivedAt: string
}

/** What the server pushes whenever something was stored: the whole picture of a project each time. */
export interface LiveOverview {
  /** Time of the server. */
  readonly at: string
  /** Events received in each second of the last minute that had any: [second of Unix time, events]. */
  readonly seconds: readonly (readonly [second: number, events: number])[]
  /** In the last five minutes, most frequent first. */
  readonly byEvent: readonly { readonly event: string; readonly channel: string; readonly events: number }[]
  /** Persons known now: distinct persons of all keys. */
  readonly people: number
  /** Events in the column store. */
  readonly stored: number
  readonly refusedTotal: number
  readonly newestReceivedAt: string | null
  /** Newest first. */
  readonly events: readonly LiveEvent[]
  readonly refused: readonly LiveRefusal[]
}
