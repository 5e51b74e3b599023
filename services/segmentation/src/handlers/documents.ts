import type { Millis } from '@millrace/contracts'
import type { PersonDocument } from '@millrace/identity'
import type { SlotState } from '@millrace/segments'

/** One partition's scope in the hot store. It holds the clock, the rules and one document for each person. */
export const scopeOf = (partition: number): string => `segmentation:${partition}`

export const CLOCK = 'clock'
export interface ClockDocument {
  readonly at: Millis
}

export const PEOPLE = 'person:'
export const personKey = (person: string): string => `${PEOPLE}${person}`

/** An odd number of flips is an entry: nobody begins as a member. */
export interface Membership {
  /** Number of the last flip of this person in this segment; it outlives the person's emptiness. */
  readonly number: number
  readonly in: boolean
  /** Clock of the last flip. */
  readonly at: Millis
}

export interface PersonState extends PersonDocument<SlotState> {
  readonly project: number
  readonly memberships: Readonly<Record<string, Membership>>
  /** By segment: when time alone may change its value. The person's timer is the earliest. */
  readonly due: Readonly<Record<string, Millis>>
  /** Segments whose value a bound may have made wrong. */
  readonly partial: readonly string[]
}

export const newPerson = (project: number): PersonState => ({ project, slots: {}, memberships: {}, due: {}, partial: [] })

export const RULES = 'rule:'
export const rulePrefix = (project: number): string => `${RULES}${String(project).padStart(5, '0')}/`
export const ruleKey = (project: number, segment: string): string => `${rulePrefix(project)}${segment}`

/** A segment as one partition knows it. A deleted one stays as a mark, so that late states of it are known as such. */
export interface RuleDocument {
  readonly project: number
  readonly segment: string
  readonly version: number
  readonly name: string
  /** As the sender wrote it; null: deleted. */
  readonly rule: unknown
  readonly createdAt: Millis
  readonly changedAt: Millis
  /** Offset of the record that brought this version: the past lies before, the stream begins behind. */
  readonly offset: number
  readonly state: 'backfilling' | 'live' | 'deleted'
  /** Partitions of events.accepted whose backfilled states have all come. */
  readonly completed: readonly number[]
  /** Members in this partition. */
  readonly members: number
  /** People of this partition for whom a bound may have made the answer wrong. */
  readonly partial: number
}
