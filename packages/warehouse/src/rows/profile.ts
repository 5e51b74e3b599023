import { jsonRow, timeTextOrNull } from './json.ts'

/** What profile-builder stores of a person at a version; a larger version replaces a smaller one. */
export interface StoredProfile {
  readonly project: number
  readonly person: string
  readonly version: number
  /** The person lost all its numbers to another and is no person now. */
  readonly gone: boolean
  readonly userId: string | null
  readonly anonymousIds: readonly string[]
  /** Typed keys, `[{"type":…,"value":…}]`. */
  readonly identities: readonly { readonly type: string; readonly value: string }[]
  readonly traits: Readonly<Record<string, unknown>>
  readonly firstSeen: number | null
  readonly lastSeen: number | null
  /** Segment's `context.consent.categoryPreferences`, the newest. */
  readonly consent: Readonly<Record<string, unknown>>
  readonly document: unknown
}

/** One row of `millrace_store.profiles`. */
export const profileRow = (profile: StoredProfile): string =>
  jsonRow({
    project: profile.project,
    person: profile.person,
    version: profile.version,
    gone: profile.gone,
    user_id: profile.userId ?? '',
    anonymous_ids: profile.anonymousIds,
    identities: JSON.stringify(profile.identities),
    traits: JSON.stringify(profile.traits),
    first_seen: timeTextOrNull(profile.firstSeen),
    last_seen: timeTextOrNull(profile.lastSeen),
    consent: JSON.stringify(profile.consent),
    document: JSON.stringify(profile.document),
  })
