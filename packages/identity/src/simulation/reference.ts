import type { IdentityFact, Key, Order } from '@millrace/contracts'
import { ANONYMOUS, compareOrder, keyOf, personIdOf, typeOf, USER, valueOf } from '@millrace/contracts'
import type { IdentityProject } from '../neighbourhood.ts'

/** Who is whom by all facts at once, in the plainest way: what the incremental decisions are held against. */
export interface ReferenceMap {
  readonly person: ReadonlyMap<Key, string>
  readonly personNumber: ReadonlyMap<Key, number | null>
  readonly refused: ReadonlySet<string>
}

interface Candidate {
  readonly a: Key
  readonly b: Key
  readonly rank: Order
  readonly pair: string
}

export const referenceMap = (project: IdentityProject, facts: readonly IdentityFact[]): ReferenceMap => {
  const numbers = new Map<Key, number>()
  const seen = new Set<Key>()
  const keys = new Set<Key>()
  const linked = new Map<string, IdentityFact & { type: 'pair.linked' }>()
  for (const fact of facts) {
    if (fact.type === 'key.numbered') numbers.set(fact.key, fact.number)
    if (fact.type === 'user.seen') seen.add(fact.key)
    if (fact.type === 'key.numbered' || fact.type === 'user.seen') keys.add(fact.key)
    if (fact.type === 'pair.linked' || fact.type === 'keys.merged' || fact.type === 'keys.unmerged') keys.add(fact.a).add(fact.b)
    if (fact.type === 'pair.linked') linked.set(sorted(fact.a, fact.b), fact)
  }
  const nodeOf = (key: Key): Key => (typeOf(key) === USER && !seen.has(key) ? keyOf(ANONYMOUS, valueOf(key)) : key)
  const cuts = new Map<string, Order>()
  for (const fact of facts) {
    if (fact.type !== 'keys.unmerged') continue
    const pair = sorted(nodeOf(fact.a), nodeOf(fact.b))
    const cut = cuts.get(pair)
    if (!cut || compareOrder(fact.order, cut) > 0) cuts.set(pair, fact.order)
  }
  const implied = new Map<string, Candidate>()
  const explicit = new Map<string, Candidate>()
  const offer = (into: Map<string, Candidate>, x: Key, y: Key, rank: Order): void => {
    const [a, b] = [nodeOf(x), nodeOf(y)]
    const pair = sorted(a, b)
    const cut = cuts.get(pair)
    if (a === b || (cut && compareOrder(rank, cut) <= 0)) return
    const known = into.get(pair)
    if (!known || compareOrder(rank, known.rank) < 0) into.set(pair, { a, b, rank, pair })
  }
  for (const fact of linked.values()) if (fact.first) offer(implied, fact.a, fact.b, fact.first)
  for (const fact of facts) {
    if (fact.type === 'keys.merged') offer(explicit, fact.a, fact.b, fact.order)
    if (fact.type !== 'keys.aliased') continue
    const [x, y] = [nodeOf(keyOf(USER, fact.x)), nodeOf(keyOf(USER, fact.y))]
    offer(typeOf(x) === USER && typeOf(y) === USER ? explicit : implied, x, y, fact.order)
  }
  return place(project, { numbers, keys, nodeOf, implied: [...implied.values()], explicit: [...explicit.values()] })
}

interface Facts {
  readonly numbers: ReadonlyMap<Key, number>
  readonly keys: ReadonlySet<Key>
  readonly nodeOf: (key: Key) => Key
  readonly implied: readonly Candidate[]
  readonly explicit: readonly Candidate[]
}

const place = (project: IdentityProject, { numbers, keys, nodeOf, implied, explicit }: Facts): ReferenceMap => {
  const group = new Map<Key, Set<Key>>()
  const groupOf = (node: Key): Set<Key> => group.get(node) ?? group.set(node, new Set([node])).get(node)!
  for (const key of keys) groupOf(nodeOf(key))
  const refused = new Set<string>()
  const users = new Map<Key, Set<Key>>()
  for (const { a, b } of implied) {
    for (const [key, other] of [[a, b], [b, a]] as const) {
      if (typeOf(key) === USER || typeOf(other) !== USER) continue
      ;(users.get(key) ?? users.set(key, new Set()).get(key)!).add(other)
    }
  }
  const shared = (key: Key): boolean => (users.get(key)?.size ?? 0) > project.identity.usersPerDeviceMax
  const unique = new Set([USER, ...project.identity.types.filter((type) => type.uniquePerPerson).map((type) => type.type)])
  for (const { a, b, pair } of [...implied].sort(byRank)) {
    const [x, y] = [groupOf(a), groupOf(b)]
    if (shared(a) || shared(b)) refused.add(`1\n${pair}`)
    else if (x !== y) {
      const all = new Set([...x, ...y])
      const twice = [...unique].some((type) => [...all].filter((key) => typeOf(key) === type).length > 1 && [x, y].every((side) => [...side].some((key) => typeOf(key) === type)))
      if (twice || all.size > project.identity.keysPerPersonMax) refused.add(`1\n${pair}`)
      else for (const key of all) group.set(key, all)
    }
  }
  const parts = new Map([...new Set(group.values())].map((set) => [set, 1]))
  for (const { a, b, pair } of [...explicit].sort(byRank)) {
    const [x, y] = [groupOf(a), groupOf(b)]
    if (x === y) continue
    const count = (parts.get(x) ?? 1) + (parts.get(y) ?? 1)
    if (count > project.identity.mergedPersonsMax) refused.add(`2\n${pair}`)
    else {
      const all = new Set([...x, ...y])
      for (const key of all) group.set(key, all)
      parts.set(all, count)
    }
  }
  return { ...names(project, { numbers, keys, nodeOf }, group), refused }
}

const names = (
  project: IdentityProject,
  { numbers, keys, nodeOf }: Pick<Facts, 'numbers' | 'keys' | 'nodeOf'>,
  group: ReadonlyMap<Key, ReadonlySet<Key>>,
) => {
  const order = [USER, ...project.identity.types.map((type) => type.type)]
  const priority = (key: Key): number => (order.includes(typeOf(key)) ? order.indexOf(typeOf(key)) : order.length + (typeOf(key) === ANONYMOUS ? 1 : 0))
  const person = new Map<Key, string>()
  const personNumber = new Map<Key, number | null>()
  for (const key of keys) {
    const nodes = group.get(nodeOf(key))!
    let best: Key | null = null
    for (const node of nodes) {
      if (best === null || priority(node) < priority(best)) best = node
      else if (priority(node) > priority(best)) continue
      else {
        const [n, m] = [numbers.get(node) ?? Number.MAX_SAFE_INTEGER, numbers.get(best) ?? Number.MAX_SAFE_INTEGER]
        if (n < m || (n === m && Buffer.compare(Buffer.from(node), Buffer.from(best)) < 0)) best = node
      }
    }
    const members = [...keys].filter((other) => nodes.has(nodeOf(other)) && numbers.has(other))
    person.set(key, personIdOf(project.id, best!))
    personNumber.set(key, numbers.get(best!) ?? (members.length > 0 ? Math.min(...members.map((other) => numbers.get(other)!)) : null))
  }
  return { person, personNumber }
}

const byRank = (x: Candidate, y: Candidate): number => compareOrder(x.rank, y.rank) || (x.pair < y.pair ? -1 : x.pair > y.pair ? 1 : 0)
const sorted = (a: Key, b: Key): string => (a <= b ? `${a}\n${b}` : `${b}\n${a}`)
