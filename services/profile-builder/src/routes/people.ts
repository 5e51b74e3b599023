import type { Key } from '@millrace/contracts'

/** What the routes ask of identity: the person of a key, and the keys of a person. */
export interface PersonFinder {
  /** null when no event and no link has named the key. */
  personOf(project: number, key: Key): Promise<string | null>
  /** All keys of a person, those too under which no event came. Sorted. */
  keysOf(project: number, person: string): Promise<readonly Key[]>
}
