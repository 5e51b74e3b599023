import { partitionOfPerson, ProblemError, topics, type Key, typeOf, valueOf, ANONYMOUS, USER } from '@millrace/contracts'
import type { HotStore } from '@millrace/ports'
import { profileOf, type Identity, type Profile, type Zone } from '@millrace/profile'
import { CLOCK, foldScope, personKey, type ProfileDocument, statesOf } from '../fold/documents.ts'
import type { PersonFinder } from './people.ts'

/** Up to where an answer knows the log: everything before `position` of the person's partition is in it. */
export interface Freshness {
  readonly partition: number
  readonly position: number
  /** The newest time of receipt that is included; null before the first event. */
  readonly at: string | null
}

export interface ProfileAnswer extends Omit<Profile, 'userId' | 'anonymousIds' | 'identities'> {
  readonly personId: string
  readonly userId: string | null
  readonly anonymousIds: readonly string[]
  readonly identities: readonly Identity[]
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
  const { userId, identities, ...profile } = profileOf(states, zone)
  const keys = await finder.keysOf(project, person)
  return {
    personId: person,
    ...namesOf(keys.length > 0 ? keys : identities.map(({ type, value }) => `${type}:${value}`), userId),
    ...profile,
    arriving: Object.values(document!.slots).some(({ expected, leaving }) => expected && !leaving),
    freshness,
  } as ProfileAnswer
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

/** The user of a merged person is the one that its profile names first; keys of others follow by name. */
const namesOf = (keys: readonly Key[], userId: string | null): Pick<ProfileAnswer, 'userId' | 'anonymousIds' | 'identities'> => {
  const identities = keys.map((key) => ({ type: typeOf(key), value: valueOf(key) }))
  const valuesOf = (type: string): readonly string[] => identities.filter((one) => one.type === type).map(({ value }) => value)
  const users = valuesOf(USER)
  return {
    userId: userId !== null && users.includes(userId) ? userId : (users[0] ?? null),
    anonymousIds: valuesOf(ANONYMOUS),
    identities,
  }
}
