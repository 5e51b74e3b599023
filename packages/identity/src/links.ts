import type { Key, Order } from '@millrace/contracts'
import { compareOrder, keyOf, USER } from '@millrace/contracts'
import type { Base, LinkDocument, Outcome } from './documents.ts'
import { earliest, latest, ordered, pairId } from './documents.ts'

/** A link as the rules see it: between two nodes, at the earliest order that no unlink cuts. */
export interface Link {
  readonly id: string
  readonly a: Key
  readonly b: Key
  readonly rank: Order
  /** 1: implied by events. 2: asked for by a person, or an alias of two users. */
  readonly layer: 1 | 2
  /** What became of it, as its document says. */
  readonly stored: Outcome | null
}

export const linkId = (layer: 1 | 2, a: Key, b: Key): string => `${layer}\n${pairId(a, b)}`

export const compareLinks = (x: Link, y: Link): number =>
  compareOrder(x.rank, y.rank) || (x.id < y.id ? -1 : x.id > y.id ? 1 : 0)

interface Candidates {
  readonly a: Key
  readonly b: Key
  cut: Order | null
  readonly implied: Order[]
  readonly explicit: Order[]
}

/** The links of the facts between two bases. `nodeOf` says which key a user id is: itself once seen, else the device of its name. */
export const linksOf = (document: LinkDocument, [p, q]: readonly [Base, Base], nodeOf: (key: Key) => Key): readonly Link[] => {
  const found = new Map<string, Candidates>()
  const at = (x: Key, y: Key): Candidates | null => {
    if (x === y) return null
    const id = pairId(x, y)
    const [a, b] = ordered(x, y)
    const before = found.get(id) ?? { a, b, cut: null, implied: [], explicit: [] }
    found.set(id, before)
    return before
  }
  for (const facts of Object.values(document.pairs)) {
    const candidates = at(nodeOf(facts.a), nodeOf(facts.b))
    if (!candidates) continue
    candidates.cut = latest(candidates.cut, facts.cut)
    if (facts.linked) candidates.implied.push(facts.linked)
    candidates.explicit.push(...facts.merged)
  }
  if (document.aliased.length > 0) aliases(document, [p, q], nodeOf, at)
  return [...found.values()].flatMap((candidates) => toLinks(document, candidates))
}

const aliases = (
  document: LinkDocument,
  [p, q]: readonly [Base, Base],
  nodeOf: (key: Key) => Key,
  at: (x: Key, y: Key) => Candidates | null,
): void => {
  const [x, y] = [nodeOf(keyOf(USER, p.slice(1))), nodeOf(keyOf(USER, q.slice(1)))]
  const twoUsers = x.startsWith(`${USER}:`) && y.startsWith(`${USER}:`)
  const candidates = at(x, y)
  if (candidates) (twoUsers ? candidates.explicit : candidates.implied).push(...document.aliased)
}

const toLinks = ({ outcomes }: LinkDocument, { a, b, cut, implied, explicit }: Candidates): readonly Link[] => {
  const links: Link[] = []
  const rankOf = (orders: readonly Order[]): Order | null =>
    orders.reduce<Order | null>((best, order) => (cut && compareOrder(order, cut) <= 0 ? best : earliest(best, order)), null)
  const ranks = [rankOf(implied), rankOf(explicit)]
  for (const layer of [1, 2] as const) {
    const rank = ranks[layer - 1]
    const id = linkId(layer, a, b)
    if (rank) links.push({ id, a, b, rank, layer, stored: outcomes[id] ?? null })
  }
  return links
}
