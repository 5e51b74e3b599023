import type { Key, Millis } from '@millrace/contracts'
import { activeSlots, type PersonDocument } from '@millrace/identity'
import type { ProfileState } from '@millrace/profile'

/** What fold keeps of a person. `position` is the offset behind the last record that changed it. */
export interface ProfileDocument extends PersonDocument<ProfileState> {
  readonly position: number
  /** The partition's clock at that record. */
  readonly clock: Millis
  /** Keys that identity placed here, and the epoch of the placement. */
  readonly keys?: Readonly<Record<Key, number>>
}

/** How far the snapshots in the column store have come. */
export interface SnapshotPosition {
  readonly position: number
}

export const foldScope = (partition: number): string => `fold:${partition}`
export const PERSONS = 'person/'
/** The partition's clock: `{at}`. */
export const CLOCK = 'clock'
/** `SnapshotPosition`; changed outside the watermark. */
export const SNAPSHOT = 'snapshot'

export const personKey = (project: number, person: string): string => `${PERSONS}${project}/${person}`

export const parsePersonKey = (key: string): { project: number; person: string } => {
  const slash = key.indexOf('/', PERSONS.length)
  return { project: Number(key.slice(PERSONS.length, slash)), person: key.slice(slash + 1) }
}

export const newDocument: ProfileDocument = { position: 0, clock: 0, slots: {} }

export const isEmptied = (document: ProfileDocument): boolean => {
  for (const _ in document.slots) return false
  for (const _ in document.keys) return false
  return true
}

/** Keys that the person has by a link. */
export const linkedKeys = (document: ProfileDocument): readonly Key[] => Object.keys(document.keys ?? {})

/** The states that make up the person now. */
export const statesOf = (document: ProfileDocument): readonly ProfileState[] => activeSlots(document).map(({ state }) => state)
