import type { IdentityFact, Key, KeyPlaced, MapLine, Millis } from '@millrace/contracts'
import { typeOf, USER } from '@millrace/contracts'
import { applyFact, type Puts } from './apply-fact.ts'
import type { Decision, FactPosition } from './decide.ts'
import type { BaseDocument, KeyState, LinkDocument, PersonKeys } from './documents.ts'
import { baseDocumentId, baseOf, linkDocumentId, personDocumentId } from './documents.ts'
import { linkId } from './links.ts'
import type { Neighbourhood } from './neighbourhood.ts'

/**
 * The first facts of keys that nothing connects with others yet, so that no walk is needed: a key of its own is numbered
 * or seen, a device becomes that of a user. They are nearly all facts of an import, and this way a quarter of the cost.
 * null: the fact needs the whole way. `decide.test.ts` holds the two ways equal.
 */
export const decideAlone = (now: Neighbourhood, fact: IdentityFact, at: FactPosition): Decision | null => {
  const version = at.offset + 1
  switch (fact.type) {
    case 'key.numbered':
    case 'user.seen':
      return aloneWith(now, fact.key, fact.type === 'user.seen') ? namedAlone(now, fact.key, applyFact(now, fact), fact.at, version) : null
    case 'pair.linked':
      return fact.first !== null && fact.unlinkedUpTo === null ? firstLink(now, fact, version) : null
    default:
      return null
  }
}

/** Nothing is linked with the key, no other key has its name, and it stands for itself. */
const aloneWith = (now: Neighbourhood, key: Key, becomesSeen: boolean): boolean => {
  const document = now.base(baseOf(key))
  const state = document?.keys[key]
  if (typeOf(key) === USER && !becomesSeen && !state?.seen) return false
  return document === null || (state !== undefined && isLone(document) && state.person === now.ownPerson(key))
}

const isLone = ({ keys, others }: BaseDocument): boolean => others.length === 0 && Object.keys(keys).length === 1

const namedAlone = (now: Neighbourhood, key: Key, puts: Puts, at: Millis, version: number): Decision => {
  const id = baseDocumentId(now.project.id, baseOf(key))
  const document = puts.get(id) as BaseDocument | undefined
  if (!document) return { puts, placed: [], map: [] }
  const state = document.keys[key]!
  const isNew = now.base(baseOf(key)) === null
  const map: MapLine[] = []
  if (state.personNumber !== state.number) {
    puts.set(id, { ...document, keys: { [key]: { ...state, personNumber: state.number } } })
    map.push(mapped(key, state, state.person, state.number!, at, version))
  }
  if (isNew) puts.set(personDocumentId(now.project.id, state.person), { keys: [key] } satisfies PersonKeys)
  return { puts, placed: [], map }
}

const mapped = (key: Key, { number }: KeyState, person: string, personNumber: number, linkedAt: Millis, version: number): MapLine =>
  ({ type: 'number.mapped', number: number!, key, person, personNumber, linkedAt, version })

/** A user with a number and a device, each of them alone so far: the device follows the user. */
const firstLink = (now: Neighbourhood, fact: Extract<IdentityFact, { type: 'pair.linked' }>, version: number): Decision | null => {
  const [user, device] = typeOf(fact.a) === USER ? [fact.a, fact.b] : [fact.b, fact.a]
  if (typeOf(user) !== USER || typeOf(device) === USER || baseOf(user) === baseOf(device) || !mayBeTwo(now)) return null
  if (!aloneWith(now, user, false) || !aloneWith(now, device, false)) return null
  const { person, number } = now.keyState(user)!
  if (number === null) return null
  const puts = applyFact(now, fact)
  const { id } = now.project
  const [deviceId, pairDocumentId] = [baseDocumentId(id, baseOf(device)), linkDocumentId(id, baseOf(user), baseOf(device))]
  const document = puts.get(deviceId) as BaseDocument
  const state = document.keys[device]!
  puts.set(deviceId, { ...document, keys: { [device]: { ...state, person, personNumber: number } } })
  puts.set(pairDocumentId, { ...(puts.get(pairDocumentId) as LinkDocument), outcomes: { [linkId(1, user, device)]: 'joined' } })
  puts.set(personDocumentId(id, state.person), null)
  puts.set(personDocumentId(id, person), { keys: [user, device].sort() } satisfies PersonKeys)
  const placed: KeyPlaced[] = [{ type: 'key.placed', key: device, person, epoch: version }]
  return { puts, placed, map: state.number === null ? [] : [mapped(device, state, person, number, fact.at, version)] }
}

/** Limits so small that even a first link may be refused are left to the whole way. */
const mayBeTwo = ({ project: { identity } }: Neighbourhood): boolean =>
  identity.keysPerPersonMax >= 2 && identity.usersPerDeviceMax >= 1
