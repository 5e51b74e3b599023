import type { IdentityFact, Key, Order } from '@millrace/contracts'
import { compareOrder, keyOf, personIdOf, USER } from '@millrace/contracts'
import type { Base, BaseDocument, DocumentId, KeyState, LinkDocument, PairFacts } from './documents.ts'
import { baseDocumentId, baseOf, latest, linkDocumentId, newLinkDocument, pairId, withOrder } from './documents.ts'
import type { Neighbourhood } from './neighbourhood.ts'

export type Puts = Map<DocumentId, unknown>

/** The keys that a fact names; of an alias, the user ids of its two names. */
export const keysOfFact = (fact: IdentityFact): readonly Key[] => {
  switch (fact.type) {
    case 'key.numbered':
    case 'user.seen':
      return [fact.key]
    case 'keys.aliased':
      return [keyOf(USER, fact.x), keyOf(USER, fact.y)]
    default:
      return [fact.a, fact.b]
  }
}

/** Documents that the fact itself changes. The result depends on the set of facts, not on their order of arrival (R5). */
export const applyFact = (now: Neighbourhood, fact: IdentityFact): Puts => {
  const puts: Puts = new Map()
  switch (fact.type) {
    case 'key.numbered':
      putKey(now, puts, fact.key, (state) => ({ ...state, number: fact.number, personNumber: null }))
      return puts
    case 'user.seen':
      putKey(now, puts, fact.key, (state) => (state.seen ? state : { ...state, seen: true }))
      return puts
    case 'pair.linked':
      return putPair(now, puts, fact.a, fact.b, true, (pair) => ({ ...pair, linked: fact.first }))
    case 'keys.merged':
      return putPair(now, puts, fact.a, fact.b, false, (pair) => ({ ...pair, merged: withOrder(pair.merged, fact.order) }))
    case 'keys.unmerged':
      return putPair(now, puts, fact.a, fact.b, false, (pair) => ({ ...pair, cut: latest(pair.cut, fact.order) }))
    case 'keys.aliased':
      return putAlias(now, puts, fact.x, fact.y, fact.order)
  }
}

const putPair = (
  now: Neighbourhood,
  puts: Puts,
  a: Key,
  b: Key,
  implied: boolean,
  change: (pair: PairFacts) => PairFacts,
): Puts => {
  if (a === b || !connect(now, puts, baseOf(a), baseOf(b), implied)) return puts
  for (const key of [a, b]) putKey(now, puts, key, (state) => state)
  const before = linkNow(now, puts, baseOf(a), baseOf(b))
  const changed = change(before.pairs[pairId(a, b)] ?? { a, b, linked: null, merged: [], cut: null })
  const pair = { ...changed, merged: changed.merged.filter((order) => !changed.cut || compareOrder(order, changed.cut) > 0) }
  puts.set(linkDocumentId(now.project.id, baseOf(a), baseOf(b)), { ...before, pairs: { ...before.pairs, [pairId(a, b)]: pair } })
  return puts
}

const putAlias = (now: Neighbourhood, puts: Puts, x: string, y: string, order: Order): Puts => {
  const [a, b] = [baseOf(keyOf(USER, x)), baseOf(keyOf(USER, y))]
  if (a === b || !connect(now, puts, a, b, true)) return puts
  const before = linkNow(now, puts, a, b)
  puts.set(linkDocumentId(now.project.id, a, b), { ...before, aliased: withOrder(before.aliased, order) })
  return puts
}

/** Lists each base with the other. False: one has too many already, and what an event implies of it is not kept. */
const connect = (now: Neighbourhood, puts: Puts, a: Base, b: Base, implied: boolean): boolean => {
  if (now.link(a, b)) return true
  if (implied && (now.base(a)?.overfull || now.base(b)?.overfull)) return false
  if (a === b) return addOther(now, puts, a, b)
  addOther(now, puts, a, b)
  return addOther(now, puts, b, a)
}

const addOther = (now: Neighbourhood, puts: Puts, base: Base, other: Base): true => {
  const document = baseNow(now, puts, base)
  const others = [...document.others, other]
  const full = others.length > Math.max(1000, 2 * now.project.identity.keysPerPersonMax) || isCrowded(now, document, others.length)
  puts.set(baseDocumentId(now.project.id, base), { ...document, others, ...(full && { overfull: true }) })
  return true
}

/** A device far over the limit of users stays no identity, so that its document does not grow for ever. */
const isCrowded = (now: Neighbourhood, document: BaseDocument, others: number): boolean => {
  const devices = Object.keys(document.keys).every((key) => !document.keys[key]!.seen)
  return devices && others > Math.max(200, 4 * now.project.identity.usersPerDeviceMax)
}

const putKey = (now: Neighbourhood, puts: Puts, key: Key, change: (state: KeyState) => KeyState): void => {
  const document = baseNow(now, puts, baseOf(key))
  const before = document.keys[key]
  const own = before ?? { number: null, seen: false, person: personIdOf(now.project.id, key), personNumber: null }
  const after = change(own)
  if (after === before) return
  puts.set(baseDocumentId(now.project.id, baseOf(key)), { ...document, keys: { ...document.keys, [key]: after } })
}

const baseNow = (now: Neighbourhood, puts: Puts, base: Base): BaseDocument =>
  (puts.get(baseDocumentId(now.project.id, base)) as BaseDocument | undefined) ?? now.base(base) ?? { keys: {}, others: [] }

const linkNow = (now: Neighbourhood, puts: Puts, a: Base, b: Base): LinkDocument =>
  (puts.get(linkDocumentId(now.project.id, a, b)) as LinkDocument | undefined) ?? now.link(a, b) ?? newLinkDocument
