import type { Key, KeyPlaced, MapLine, Millis } from '@millrace/contracts'
import { personIdOf } from '@millrace/contracts'
import type { Puts } from './apply-fact.ts'
import { canonicalOf } from './components.ts'
import type { BaseDocument, KeyState, PersonKeys } from './documents.ts'
import { baseDocumentId, baseOf, personDocumentId } from './documents.ts'
import type { Neighbourhood } from './neighbourhood.ts'

export interface Placing {
  /** Changed documents so far; those of persons and keys are added. */
  readonly puts: Puts
  /** Also the epoch of what is placed. */
  readonly version: number
  readonly at: Millis
  /** Keys that no fact has named before. */
  readonly isNew: (key: Key) => boolean
}

/** Names each group of nodes, tells the home of each key that moved, and the map of each number that changed. */
export const placePersons = (
  view: Neighbourhood,
  groups: readonly (readonly Key[])[],
  { puts, version, at, isNew }: Placing,
): { readonly placed: readonly KeyPlaced[]; readonly map: readonly MapLine[] } => {
  const placed: KeyPlaced[] = []
  const map: MapLine[] = []
  const dirty = new Set<string>()
  const after = new Map<string, readonly Key[]>()
  for (const nodes of groups) {
    const members = nodes.flatMap((node) => view.keysOfNode(node))
    if (members.length === 0) continue
    const { person, personNumber } = nameOf(view, nodes, members)
    after.set(person, members)
    for (const key of members) {
      const state = view.keyState(key)!
      if (state.person !== person || isNew(key)) dirty.add(state.person).add(person)
      if (state.person !== person) placed.push({ type: 'key.placed', key, person, epoch: version })
      if (state.person === person && state.personNumber === personNumber) continue
      if (state.number !== null) {
        map.push({ type: 'number.mapped', number: state.number, key, person, personNumber: personNumber!, linkedAt: at, version })
      }
      putState(view, puts, key, { ...state, person, personNumber })
    }
  }
  putPersons(view, puts, dirty, after)
  return { placed, map }
}

const nameOf = (view: Neighbourhood, nodes: readonly Key[], members: readonly Key[]) => {
  const numberOf = (key: Key): number | null => view.keyState(key)?.number ?? null
  const canonical = canonicalOf(view.project, nodes, numberOf)
  const numbers = members.map(numberOf).filter((number) => number !== null)
  const personNumber = numberOf(canonical) ?? (numbers.length > 0 ? Math.min(...numbers) : null)
  return { person: personIdOf(view.project.id, canonical), personNumber }
}

const putState = (view: Neighbourhood, puts: Puts, key: Key, state: KeyState): void => {
  const id = baseDocumentId(view.project.id, baseOf(key))
  const document = (puts.get(id) as BaseDocument | undefined) ?? view.base(baseOf(key))!
  puts.set(id, { ...document, keys: { ...document.keys, [key]: state } })
}

const putPersons = (view: Neighbourhood, puts: Puts, dirty: ReadonlySet<string>, after: ReadonlyMap<string, readonly Key[]>): void => {
  for (const person of dirty) {
    const keys = after.get(person)
    const document: PersonKeys | null = keys ? { keys: [...keys].sort() } : null
    puts.set(personDocumentId(view.project.id, person), document)
  }
}
