import type { Key } from '@millrace/contracts'
import { ANONYMOUS, typeOf, USER } from '@millrace/contracts'
import type { Outcome } from './documents.ts'
import type { IdentityProject } from './neighbourhood.ts'

/** Disjoint sets of keys under the limits of a project; joins happen in the order of the links. */
export class Components {
  private readonly parent = new Map<Key, Key>()
  private readonly size = new Map<Key, number>()
  /** Keys of a type of which a person may have only one. */
  private readonly unique = new Map<Key, Map<string, number>>()
  private readonly merged = new Map<Key, number>()
  private readonly project: IdentityProject
  private readonly uniqueTypes: ReadonlySet<string>

  constructor(project: IdentityProject, nodes: Iterable<Key>) {
    this.project = project
    this.uniqueTypes = uniqueTypesOf(project)
    for (const node of nodes) {
      this.parent.set(node, node)
      this.size.set(node, 1)
      this.merged.set(node, 1)
      this.unique.set(node, this.uniqueTypes.has(typeOf(node)) ? new Map([[typeOf(node), 1]]) : new Map())
    }
  }

  find(node: Key): Key {
    let root = node
    while (this.parent.get(root) !== root) root = this.parent.get(root)!
    for (let at = node; at !== root; ) {
      const next = this.parent.get(at)!
      this.parent.set(at, root)
      at = next
    }
    return root
  }

  /** Layer 1: what events imply joins two components unless the one person would have too much. */
  imply(a: Key, b: Key): Outcome {
    const [x, y] = [this.find(a), this.find(b)]
    if (x === y) return 'joined'
    for (const [type, count] of this.unique.get(y)!) {
      if (count + (this.unique.get(x)!.get(type) ?? 0) > 1) return 'unique'
    }
    if (this.size.get(x)! + this.size.get(y)! > this.project.identity.keysPerPersonMax) return 'keysPerPersonMax'
    this.unite(x, y, 1)
    return 'joined'
  }

  /** Layer 2: what a person asked for joins whole components of layer 1, up to a number of them. */
  merge(a: Key, b: Key): Outcome {
    const [x, y] = [this.find(a), this.find(b)]
    if (x === y) return 'joined'
    const merged = this.merged.get(x)! + this.merged.get(y)!
    if (merged > this.project.identity.mergedPersonsMax) return 'mergedPersonsMax'
    this.unite(x, y, merged)
    return 'joined'
  }

  /** A join that was decided before and stands. */
  keep(a: Key, b: Key): void {
    const [x, y] = [this.find(a), this.find(b)]
    if (x !== y) this.unite(x, y, 1)
  }

  groups(): readonly (readonly Key[])[] {
    const byRoot = new Map<Key, Key[]>()
    for (const node of this.parent.keys()) {
      const root = this.find(node)
      const group = byRoot.get(root)
      if (group) group.push(node)
      else byRoot.set(root, [node])
    }
    return [...byRoot.values()]
  }

  private unite(x: Key, y: Key, merged: number): void {
    const [root, child] = this.size.get(x)! >= this.size.get(y)! ? [x, y] : [y, x]
    this.parent.set(child, root)
    this.size.set(root, this.size.get(root)! + this.size.get(child)!)
    this.merged.set(root, merged)
    const counts = this.unique.get(root)!
    for (const [type, count] of this.unique.get(child)!) counts.set(type, count + (counts.get(type) ?? 0))
  }
}

/** `user_id` is unique unless the project declares it otherwise. */
const uniqueTypesOf = (project: IdentityProject): ReadonlySet<string> => {
  const types = new Set([USER])
  for (const { type, uniquePerPerson } of project.identity.types) {
    if (uniquePerPerson) types.add(type)
    else types.delete(type)
  }
  return types
}

/** Smaller is better: user id, the declared types in their order, anonymous id. */
const priorityOf = (project: IdentityProject, key: Key): number => {
  const type = typeOf(key)
  if (type === USER) return -1
  const declared = project.identity.types.findIndex((candidate) => candidate.type === type)
  return declared >= 0 ? declared : type === ANONYMOUS ? project.identity.types.length + 1 : project.identity.types.length
}

const NUMBERLESS = Number.MAX_SAFE_INTEGER

/** The canonical key of a person: highest priority, then smallest number (no number: last), then bytes of the key. */
export const canonicalOf = (project: IdentityProject, nodes: readonly Key[], numberOf: (key: Key) => number | null): Key =>
  [...nodes].sort(
    (a, b) =>
      priorityOf(project, a) - priorityOf(project, b) ||
      (numberOf(a) ?? NUMBERLESS) - (numberOf(b) ?? NUMBERLESS) ||
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
  )[0]!
