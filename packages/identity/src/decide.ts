import type { IdentityFact, Key, KeyPlaced, MapLine, Order } from '@millrace/contracts'
import { ANONYMOUS, compareOrder, keyOf, valueOf } from '@millrace/contracts'
import type { Puts } from './apply-fact.ts'
import { applyFact, keysOfFact } from './apply-fact.ts'
import { Components } from './components.ts'
import { decideAlone } from './decide-alone.ts'
import type { DocumentId, LinkDocument, Outcome, Refusal } from './documents.ts'
import { baseDocumentId, baseOf, keysOfBase, linkDocumentId, pairId } from './documents.ts'
import type { Link } from './links.ts'
import { compareLinks, linkId } from './links.ts'
import type { IdentityProject, ReadDocument } from './neighbourhood.ts'
import { Neighbourhood } from './neighbourhood.ts'
import { placePersons } from './persons.ts'

export interface Decision {
  /** Changed documents; null: gone. */
  readonly puts: ReadonlyMap<DocumentId, unknown>
  readonly placed: readonly KeyPlaced[]
  readonly map: readonly MapLine[]
}

/** Where a fact lies in identity.facts: epochs and versions are its position + 1, so they grow over any restart (R7). */
export interface FactPosition {
  readonly offset: number
}

/**
 * One fact: who is whom now, as far as it can change by this fact (R8). Layer 1 joins what events imply, layer 2 what
 * persons asked for, on top of it and without being seen by it (R6), each in the order of the links and not of their
 * arrival (R5).
 * @throws NotLoaded when documents are missing; nothing has changed then
 */
export const decide = (project: IdentityProject, read: ReadDocument, fact: IdentityFact, at: FactPosition): Decision => {
  const before = new Neighbourhood(project, read)
  before.require(keysOfFact(fact).map((key) => baseDocumentId(project.id, baseOf(key))))
  return decideAlone(before, fact, at) ?? decideWhole(before, read, fact, at)
}

/** The whole way, for any fact. */
export const decideWhole = (before: Neighbourhood, read: ReadDocument, fact: IdentityFact, at: FactPosition): Decision => {
  const { project } = before
  const puts = applyFact(before, fact)
  if (puts.size === 0) return { puts, placed: [], map: [] }
  const readAfter: ReadDocument = (id) => (puts.has(id) ? puts.get(id) : read(id))
  const after = new Neighbourhood(project, readAfter)
  const change = changeOf(before, after, fact)
  const outcomes = new Outcomes(after, change.removed)
  for (const link of change.dropped) outcomes.set(link, 'usersPerDeviceMax')
  const nodes = nodesTouched(before, after, fact, change)
  if (nodes.length === 0) {
    const map = outcomes.lines(at.offset + 1)
    return { puts: outcomes.into(puts), placed: [], map }
  }
  const touched = closureOfLayer1(after, nodes, change)
  const whole = closureOfLayer2(after, touched, outcomes)
  const components = new Components(project, whole)
  const field = { components, touched, links: linksAmong(after, whole) }
  joinLayer1(after, field, change, outcomes)
  for (const link of field.links) if (link.layer === 2) outcomes.set(link, components.merge(link.a, link.b))
  const placed = placePersons(after, components.groups(), {
    puts,
    version: at.offset + 1,
    at: fact.at,
    isNew: (key) => before.base(baseOf(key))?.keys[key] === undefined,
  })
  const map = [...placed.map, ...outcomes.lines(at.offset + 1)]
  return { puts: outcomes.into(puts), placed: placed.placed, map }
}

interface Change {
  /** Links that are new, gone, or have another rank, by id. */
  readonly links: ReadonlyMap<string, Link>
  /** Nothing before this order can turn out differently; null: no link of layer 1 changed. */
  readonly from: Order | null
  readonly removed: readonly Link[]
  readonly dropped: readonly Link[]
}

const changeOf = (before: Neighbourhood, after: Neighbourhood, fact: IdentityFact): Change => {
  if (fact.type === 'key.numbered') return { links: new Map(), from: null, removed: [], dropped: [] }
  const collect = collectorOf(before, after, fact)
  const [was, is] = [collect(before), collect(after)]
  const changed = new Map<string, Link>()
  let from: Order | null = null
  const note = (link: Link): void => {
    changed.set(link.id, link)
    if (link.layer === 1 && (from === null || compareOrder(link.rank, from) < 0)) from = link.rank
  }
  for (const [id, link] of was) if (!same(link, is.get(id), before.isDropped(link), after)) note(link)
  for (const [id, link] of is) if (!same(link, was.get(id), after.isDropped(link), before)) note(link)
  return {
    links: changed,
    from,
    removed: [...was.values()].filter((link) => !is.has(link.id)),
    dropped: [...is.values()].filter((link) => after.isDropped(link)),
  }
}

type Collector = (view: Neighbourhood) => ReadonlyMap<string, Link>

/** The links that the fact may have changed: those of its pair; all of its ids where one became shared or was seen. */
const collectorOf = (before: Neighbourhood, after: Neighbourhood, fact: IdentityFact): Collector => {
  const bases = keysOfFact(fact).map(baseOf)
  const [a, b] = bases
  if (a !== undefined && b !== undefined) {
    const nodes = bases.flatMap(keysOfBase)
    const alike = nodes.every((node) => before.isShared(node) === after.isShared(node))
    if (alike) return (view) => byId(view.linksBetween(a, b))
  }
  const all = new Set(bases)
  // A user that is seen takes links over from the device of its name: their other ends get one user more.
  if (fact.type === 'user.seen') for (const base of bases) for (const other of after.base(base)?.others ?? []) all.add(other)
  return (view) => byId([...all].flatMap((base) => view.linksOfBase(base)))
}

const byId = (links: readonly Link[]): ReadonlyMap<string, Link> => new Map(links.map((link) => [link.id, link]))

/** Equal in rank and in being dropped. A link that is dropped here and absent there joins nobody either way. */
const same = (link: Link, other: Link | undefined, dropped: boolean, view: Neighbourhood): boolean => {
  if (!other) return dropped
  const otherDropped = view.isDropped(other)
  return dropped && otherDropped ? true : dropped === otherDropped && compareOrder(link.rank, other.rank) === 0
}

const nodesTouched = (before: Neighbourhood, after: Neighbourhood, fact: IdentityFact, change: Change): readonly Key[] => {
  const nodes = new Set<Key>()
  for (const link of change.links.values()) nodes.add(link.a).add(link.b)
  for (const key of keysOfFact(fact)) if (!before.keyState(key) && after.keyState(key)) nodes.add(after.nodeOf(key))
  if (fact.type === 'key.numbered' || fact.type === 'user.seen') nodes.add(after.nodeOf(fact.key))
  if (fact.type === 'user.seen') nodes.add(keyOf(ANONYMOUS, valueOf(fact.key)))
  return [...nodes]
}

/** Outcomes of links: as stored, and as this decision leaves them. */
export class Outcomes {
  private readonly changed = new Map<string, { link: Link; was: Outcome | null; is: Outcome | null }>()
  private readonly view: Neighbourhood

  constructor(view: Neighbourhood, removed: readonly Link[]) {
    this.view = view
    for (const link of removed) this.put(link, null)
  }

  get(link: Link): Outcome | null {
    const changed = this.changed.get(link.id)
    return changed ? changed.is : link.stored
  }

  set(link: Link, outcome: Outcome): void {
    this.put(link, outcome)
  }

  private put(link: Link, is: Outcome | null): void {
    const was = this.changed.get(link.id)?.was ?? link.stored
    if (was !== is) this.changed.set(link.id, { link, was, is })
    else this.changed.delete(link.id)
  }

  /** `puts` with the outcomes of each link's document. */
  into(puts: Puts): Puts {
    for (const { link, is } of this.changed.values()) {
      const [a, b] = [baseOf(link.a), baseOf(link.b)]
      const id = linkDocumentId(this.view.project.id, a, b)
      const document = (puts.get(id) as LinkDocument | undefined) ?? this.view.link(a, b)
      if (!document) continue
      const { [link.id]: _was, ...others } = document.outcomes
      puts.set(id, { ...document, outcomes: is === null ? others : { ...others, [link.id]: is } })
    }
    return puts
  }

  /**
   * Refusals are a fold: what was refused may be restored by a later unlink or an earlier link. A pair counts as
   * refused while one of its links is, the implied or the explicit one.
   */
  lines(version: number): readonly MapLine[] {
    const pairs = new Map([...this.changed.values()].map(({ link }) => [pairId(link.a, link.b), link]))
    return [...pairs.values()].flatMap(({ a, b }): readonly MapLine[] => {
      const ids = [linkId(1, a, b), linkId(2, a, b)]
      const stored = this.view.link(baseOf(a), baseOf(b))?.outcomes ?? {}
      const was = refusalIn(ids.map((id) => (this.changed.has(id) ? this.changed.get(id)!.was : stored[id])))
      const is = refusalIn(ids.map((id) => (this.changed.has(id) ? this.changed.get(id)!.is : stored[id])))
      if (is !== null) return is === was ? [] : [{ type: 'link.refused', a, b, reason: is, version }]
      return was !== null ? [{ type: 'link.restored', a, b, version }] : []
    })
  }
}

const refusalIn = (outcomes: readonly (Outcome | null | undefined)[]): Refusal | null =>
  outcomes.find((outcome): outcome is Refusal => outcome !== null && outcome !== undefined && outcome !== 'joined') ?? null

/**
 * The keys whose component may change: those of the changed links, all that is joined with them, and through refused
 * links that come later in order than the change. An earlier refusal cannot turn out differently.
 */
const closureOfLayer1 = (view: Neighbourhood, nodes: readonly Key[], change: Change): ReadonlySet<Key> =>
  walk(view, nodes, (link) => {
    if (link.layer === 2 || view.isDropped(link)) return false
    return link.stored === 'joined' || change.links.has(link.id) || isOpen(link, change)
  })

const isOpen = (link: Link, { from }: Change): boolean => from !== null && compareOrder(link.rank, from) >= 0

/** From there over explicit links, refused ones too, to whole components of layer 1 that themselves do not change. */
const closureOfLayer2 = (view: Neighbourhood, touched: ReadonlySet<Key>, outcomes: Outcomes): ReadonlySet<Key> =>
  walk(view, [...touched], (link, from) => link.layer === 2 || (!touched.has(from) && outcomes.get(link) === 'joined'))

/** Breadth first; a whole ring of missing documents is asked for at once. */
const walk = (view: Neighbourhood, start: readonly Key[], follow: (link: Link, from: Key) => boolean): ReadonlySet<Key> => {
  const seen = new Set<Key>(start)
  let ring: readonly Key[] = start
  while (ring.length > 0) {
    view.require(ring.map((node) => baseDocumentId(view.project.id, baseOf(node))))
    view.requireLinks(ring)
    const next: Key[] = []
    for (const node of ring) {
      for (const link of view.linksOfNode(node)) {
        const other = link.a === node ? link.b : link.a
        if (seen.has(other) || !follow(link, node)) continue
        seen.add(other)
        next.push(other)
      }
    }
    ring = next
  }
  return seen
}

interface Field {
  readonly components: Components
  readonly touched: ReadonlySet<Key>
  /** All links between the keys in question, in order. */
  readonly links: readonly Link[]
}

const joinLayer1 = (view: Neighbourhood, { components, touched, links }: Field, change: Change, outcomes: Outcomes): void => {
  for (const link of links) {
    if (link.layer === 2 || view.isDropped(link)) continue
    const inside = touched.has(link.a) && touched.has(link.b)
    if (inside && (link.stored === 'joined' || change.links.has(link.id) || isOpen(link, change))) {
      outcomes.set(link, components.imply(link.a, link.b))
    } else if (!inside && link.stored === 'joined') components.keep(link.a, link.b)
  }
}

const linksAmong = (view: Neighbourhood, nodes: ReadonlySet<Key>): readonly Link[] => {
  const links = new Map<string, Link>()
  for (const node of nodes) for (const link of view.linksOfNode(node)) if (nodes.has(link.a) && nodes.has(link.b)) links.set(link.id, link)
  return [...links.values()].sort(compareLinks)
}

