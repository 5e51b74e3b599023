import { type Zone } from '@millrace/contracts'
import { profileOf, sumOf } from '@millrace/profile'
import { profileRow } from '@millrace/warehouse'
import { linkedKeys, parsePersonKey, statesOf } from '../fold/documents.ts'
import type { Change } from './change.ts'

/** One row of the table of profiles. A person without an event is none yet, or none any more. */
export const rowOf = ({ key, version, document }: Change, zone: Zone): string => {
  const { project, person } = parsePersonKey(key)
  const state = sumOf(document ? statesOf(document) : [])
  const profile = profileOf([state], zone, document ? linkedKeys(document) : [])
  return profileRow({
    project,
    person,
    version,
    gone: state.events === 0,
    userId: profile.userId,
    anonymousIds: profile.anonymousIds,
    identities: profile.identities,
    traits: profile.traits,
    firstSeen: state.first,
    lastSeen: state.last,
    consent: profile.consent,
    document: profile,
  })
}
