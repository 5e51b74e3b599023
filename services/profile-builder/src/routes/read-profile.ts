import {
  ANONYMOUS, type Key, keyOf, partitionOfPerson, ProblemError, topics, typeOf, USER, valueOf, type Zone,
} from '@millrace/contracts'
import type { HotStore } from '@millrace/ports'
import { type Profile, profileOf } from '@millrace/profile'
import { CLOCK, foldScope, linkedKeys, personKey, type ProfileDocument, statesOf } from '../fold/documents.ts'
import type { PersonFinder } from './people.ts'

/** Up to where an answer knows the log: everything before `position` of the person's partition is in it. */
export interface Freshness {
  readonly partition: number
  readonly position: number
  /** The newest time of receipt that is included; null before the first event. */
  readonly at: string | null
}

export interface ProfileAnswer extends Profile {
  readonly personId: string
  /** A key came to this person and its past has not arrived yet: it will be here in a moment. */
  readonly arriving: boolean
  readonly freshness: Freshness
}

export interface ReadDeps {
  readonly hot: HotStore
  readonly finder: PersonFinder
}

/** The hot copy of a person. @throws PERSON_NOT_FOUND */
export const readProfile = async ({ hot, finder }: ReadDeps, project: number, person: string, zone: Zone): Promise<ProfileAnswer> => {
  const { document, freshness } = await readDocument(hot, project, person)
  const states = document ? statesOf(document) : []
  if (states.every((state) => state.events === 0)) throw new ProblemError('PERSON_NOT_FOUND')
  const profile = profileOf(states, zone, linkedKeys(document!))
  return {
    personId: person,
    ...profile,
    ...namesOf(profile, await finder.keysOf(project, person)),
    arriving: Object.values(document!.slots).some(({ expected, leaving }) => expected && !leaving),
    freshness,
  }
}

export const readDocument = async (
  hot: HotStore, project: number, person: string,
): Promise<{ document: ProfileDocument | undefined; freshness: Freshness }> => {
  const partition = partitionOfPerson(person, topics.resolved.partitions)
  const scope = foldScope(partition)
  // The position first: what is read then may be newer than it says, never older.
  const position = (await hot.watermark(scope)) ?? 0
  const [document, clock] = (await hot.get(scope, [personKey(project, person), CLOCK])) as [ProfileDocument | undefined, { at: number } | undefined]
  return { document, freshness: { partition, position, at: clock ? new Date(clock.at).toISOString() : null } }
}

type Names = Pick<Profile, 'userId' | 'anonymousIds' | 'identities'>

/** Identity may have decided what has not reached the profile yet, so its keys are told too. */
const namesOf = (profile: Profile, decided: readonly Key[]): Names => {
  const keys = new Set([...profile.identities.map(({ type, value }) => keyOf(type, value)), ...decided])
  const identities = [...keys].sort().map((key) => ({ type: typeOf(key), value: valueOf(key) }))
  const valuesOf = (type: string): readonly string[] => identities.filter((one) => one.type === type).map(({ value }) => value)
  return { userId: profile.userId ?? valuesOf(USER)[0] ?? null, anonymousIds: valuesOf(ANONYMOUS), identities }
}
