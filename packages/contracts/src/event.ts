import type { TraitOps } from './trait-ops.ts'

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Millis = number

export type EventType = 'track' | 'page' | 'screen' | 'identify' | 'group' | 'alias'

/** One event as every consumer sees it: the decoded form of one line of events.accepted. */
export interface CanonicalEvent {
  readonly project: number
  readonly messageId: string
  readonly type: EventType
  /** Name of the event; page, screen, identify, group and alias have the fixed names of `EVENT_NAMES`. */
  readonly event: string
  /** Normalised; null when absent or blocked. */
  readonly userId: string | null
  readonly anonymousId: string | null
  readonly previousId: string | null
  readonly groupId: string | null
  /** When it happened, corrected for the sender's clock. */
  readonly timestamp: Millis
  readonly originalTimestamp: Millis | null
  readonly sentAt: Millis | null
  readonly receivedAt: Millis
  readonly source: string
  readonly protocol: string
  readonly sessionId: string
  readonly channel: string
  readonly properties: Readonly<Record<string, unknown>>
  /** Traits that the event sets. */
  readonly traits: Readonly<Record<string, unknown>>
  /** What else it does to traits; null: nothing. */
  readonly traitOps: TraitOps | null
  readonly context: Readonly<Record<string, unknown>>
  /** Decimal text with at most 4 fraction digits, or null: money never passes through a float sum. */
  readonly revenue: string | null
  readonly currency: string
}

/** Types that count as activity of a person: `*` in a question or a rule means these. */
export const ACTIVITY_TYPES: readonly EventType[] = ['track', 'page', 'screen']

export const EVENT_NAMES: Readonly<Record<Exclude<EventType, 'track'>, string>> = {
  page: 'Page Viewed',
  screen: 'Screen Viewed',
  identify: 'Identify',
  group: 'Group',
  alias: 'Alias',
}

/** Order of two facts or events: by time, then by message id. */
export interface Order {
  readonly time: Millis
  readonly messageId: string
}

export const compareOrder = (a: Order, b: Order): number =>
  a.time - b.time || (a.messageId < b.messageId ? -1 : a.messageId > b.messageId ? 1 : 0)
