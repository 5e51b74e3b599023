import { isEmptied, type ProfileDocument } from '../fold/documents.ts'

/** A person to be written: its document at `version`, or null when it is no person any more. */
export interface Change {
  readonly key: string
  readonly version: number
  readonly document: ProfileDocument | null
}

/** Changes, and the position that the column store has reached when it has them. */
export interface Portion {
  readonly changes: readonly Change[]
  readonly position: number
}

export const changeOf = (key: string, document: ProfileDocument): Change =>
  ({ key, version: document.position, document: isEmptied(document) ? null : document })
