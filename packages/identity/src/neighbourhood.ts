import type { Key, Project } from '@millrace/contracts'
import { ANONYMOUS, keyOf, personIdOf, typeOf, USER, valueOf } from '@millrace/contracts'
import type { Base, BaseDocument, DocumentId, KeyState, LinkDocument } from './documents.ts'
import { baseDocumentId, baseOf, keysOfBase, linkDocumentId } from './documents.ts'
import type { Link } from './links.ts'
import { linksOf } from './links.ts'

export type IdentityProject = Pick<Project, 'id' | 'identity'>

/** A document by id; null where there is none, undefined where it was not loaded yet. */
export type ReadDocument = (id: DocumentId) => unknown

/** The decision needs these documents first: load them and decide again. Nothing was changed. */
export class NotLoaded extends Error {
  override readonly name = 'NotLoaded'
  readonly ids: readonly DocumentId[]
  constructor(ids: readonly DocumentId[]) {
    super(`${ids.length} documents are not loaded`)
    this.ids = ids
  }
}

/** The documents as they are, with links, users and shared devices read from them. Immutable: a change is a new one. */
export class Neighbourhood {
  readonly project: IdentityProject
  private readonly read: ReadDocument
  private readonly incidentOf = new Map<Base, readonly Link[]>()
  private readonly sharedNodes = new Map<Key, boolean>()

  constructor(project: IdentityProject, read: ReadDocument) {
    this.project = project
    this.read = read
  }

  /** @throws NotLoaded naming all that is missing, so that one load serves a whole step of a walk */
  require(ids: readonly DocumentId[]): void {
    const missing = ids.filter((id) => this.read(id) === undefined)
    if (missing.length > 0) throw new NotLoaded(missing)
  }

  base(base: Base): BaseDocument | null {
    const id = baseDocumentId(this.project.id, base)
    const document = this.read(id)
    if (document === undefined) throw new NotLoaded([id])
    return document as BaseDocument | null
  }

  link(a: Base, b: Base): LinkDocument | null {
    const id = linkDocumentId(this.project.id, a, b)
    const document = this.read(id)
    if (document === undefined) throw new NotLoaded([id])
    return document as LinkDocument | null
  }

  keyState(key: Key): KeyState | null {
    return this.base(baseOf(key))?.keys[key] ?? null
  }

  /** An alias may name a device as a user: a user that nobody has seen stands for the device. */
  readonly nodeOf = (key: Key): Key =>
    typeOf(key) !== USER || this.keyState(key)?.seen ? key : keyOf(ANONYMOUS, valueOf(key))

  /** Keys with a document that are this node: itself, and a user id of its name that was never seen. */
  keysOfNode(node: Key): readonly Key[] {
    const document = this.base(baseOf(node))
    if (!document) return []
    return keysOfBase(baseOf(node)).filter((key) => document.keys[key] && this.nodeOf(key) === node)
  }

  /** All links of both nodes of a base, those of shared devices included. */
  linksOfBase(base: Base): readonly Link[] {
    const known = this.incidentOf.get(base)
    if (known) return known
    const others = this.base(base)?.others ?? []
    this.require(this.neededBy(base, others))
    const links = others.flatMap((other) => this.linksBetween(base, other))
    this.incidentOf.set(base, links)
    return links
  }

  /** The links of one pair of bases. */
  linksBetween(a: Base, b: Base): readonly Link[] {
    const document = this.link(a, b)
    if (!document) return []
    this.require([baseDocumentId(this.project.id, a), baseDocumentId(this.project.id, b)])
    return linksOf(document, a <= b ? [a, b] : [b, a], this.nodeOf)
  }

  linksOfNode(node: Key): readonly Link[] {
    return this.linksOfBase(baseOf(node)).filter((link) => link.a === node || link.b === node)
  }

  /** Like `require`, for the links around all these nodes. */
  requireLinks(nodes: readonly Key[]): void {
    const unknown = nodes.filter((node) => !this.incidentOf.has(baseOf(node)))
    this.require(unknown.flatMap((node) => this.neededBy(baseOf(node), this.base(baseOf(node))?.others ?? [])))
  }

  private neededBy(base: Base, others: readonly Base[]): readonly DocumentId[] {
    return others.flatMap((other) => [baseDocumentId(this.project.id, other), linkDocumentId(this.project.id, base, other)])
  }

  /** The drop rule: a kiosk is no identity. Also what has more facts than any person could use. */
  isShared(node: Key): boolean {
    const known = this.sharedNodes.get(node)
    if (known !== undefined) return known
    const shared = this.base(baseOf(node))?.overfull === true || this.usersOf(node) > this.project.identity.usersPerDeviceMax
    this.sharedNodes.set(node, shared)
    return shared
  }

  /** Users that implied links join to a device; of a user and where there cannot be too many: 0. */
  usersOf(node: Key): number {
    if (typeOf(node) === USER) return 0
    if ((this.base(baseOf(node))?.others.length ?? 0) <= this.project.identity.usersPerDeviceMax) return 0
    const users = new Set<Key>()
    for (const link of this.linksOfNode(node)) {
      const other = link.a === node ? link.b : link.a
      if (link.layer === 1 && typeOf(other) === USER) users.add(other)
    }
    return users.size
  }

  isDropped(link: Link): boolean {
    return link.layer === 1 && (this.isShared(link.a) || this.isShared(link.b))
  }

  ownPerson(key: Key): string {
    return personIdOf(this.project.id, key)
  }
}
