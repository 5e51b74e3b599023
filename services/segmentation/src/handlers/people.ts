import type { OwnScope } from '@millrace/service-kit'
import { personKey, type PersonState, PEOPLE } from './documents.ts'
import { timerOf } from './evaluate.ts'

/**
 * Documents of people of one partition: a bounded copy in memory of what is stored, and what the batch at hand has
 * changed. Documents are never changed in place, so the store's own copies are safe.
 */
export interface People {
  /** Makes the documents of these people available to `get`. */
  load(ids: Iterable<string>): Promise<void>
  /** undefined: nothing is known of this person. Only for what was loaded. */
  get(id: string): PersonState | undefined
  put(id: string, person: PersonState): void
  /** Every person, as of the batch at hand, in pages; new ones come last. */
  pages(size: number): AsyncIterable<readonly (readonly [string, PersonState])[]>
  /** What the batch changed, as writes; afterwards memory is trimmed to its bound. */
  flush(): PeopleWrites
}

interface PeopleWrites {
  readonly puts: readonly (readonly [key: string, document: unknown])[]
  readonly deletes: readonly string[]
  readonly timers: readonly (readonly [id: string, at: number | null])[]
}

const LOAD_AT_ONCE = 1_000

export interface PeopleBounds {
  readonly peopleMax: number
  /** About: `weightOf`. */
  readonly bytesMax: number
}

export const createPeople = (scope: OwnScope, bounds: PeopleBounds, onLoad: (person: PersonState) => PersonState): People => {
  /** In the order of last use. An undefined one is known to be absent. */
  const cached = new Map<string, PersonState | undefined>()
  const weights = new Map<string, number>()
  let bytes = 0
  /** Timer as stored, of each changed person. */
  const storedTimers = new Map<string, number | null>()

  const use = (id: string, person: PersonState | undefined): void => {
    cached.delete(id)
    cached.set(id, person)
  }
  const weigh = (id: string): void => {
    const weight = weightOf(cached.get(id))
    bytes += weight - (weights.get(id) ?? 0)
    weights.set(id, weight)
  }
  const drop = (id: string): void => {
    cached.delete(id)
    bytes -= weights.get(id) ?? 0
    weights.delete(id)
  }
  const load = async (ids: Iterable<string>): Promise<void> => {
    const missing = [...new Set(ids)].filter((id) => !cached.has(id))
    for (let from = 0; from < missing.length; from += LOAD_AT_ONCE) {
      const some = missing.slice(from, from + LOAD_AT_ONCE)
      const documents = await scope.get(some.map(personKey))
      some.forEach((id, index) => {
        use(id, documents[index] === undefined ? undefined : onLoad(documents[index] as PersonState))
        weigh(id)
      })
    }
  }
  const put = (id: string, person: PersonState): void => {
    const before = cached.get(id)
    if (!storedTimers.has(id)) storedTimers.set(id, before ? timerOf(before) : null)
    use(id, person)
  }
  return {
    load,
    get: (id) => cached.get(id),
    put,
    pages: (size) => pagesOf(scope, size, { cached, changed: storedTimers, onLoad }),
    flush: () => {
      const writes = writesOf(storedTimers, cached)
      for (const id of storedTimers.keys()) weigh(id)
      storedTimers.clear()
      for (const id of cached.keys()) {
        if (cached.size <= bounds.peopleMax && bytes <= bounds.bytesMax) break
        drop(id)
      }
      return writes
    },
  }
}

/** About what a document takes in memory: it grows with the rules of the project, so their number alone bounds nothing. */
const weightOf = (person: PersonState | undefined): number => {
  if (!person) return 200
  let weight = 600
  for (const id in person.slots) {
    const { traits, steps, leaves } = person.slots[id as keyof PersonState['slots']]!.state
    weight += 300
    for (const name in traits) weight += 200 + textBytes(traits[name]![0])
    for (const name in steps) weight += 200 + steps[name]!.length * 200
    for (const key in leaves) weight += 250 + leafBytes(leaves[key]!.p) + leafBytes(leaves[key]!.l)
  }
  for (const _ in person.memberships) weight += 150
  for (const _ in person.due) weight += 80
  return weight
}

const textBytes = (value: unknown): number => (typeof value === 'string' ? value.length : 0)
const leafBytes = (state: object | undefined): number => {
  let weight = 0
  for (const part of Object.values(state ?? {})) weight += Array.isArray(part) ? 50 + part.length * 16 : 16
  return weight
}

interface PagesOver {
  readonly cached: Map<string, PersonState | undefined>
  /** What the batch has changed stays in memory until it is flushed. */
  readonly changed: ReadonlyMap<string, unknown>
  readonly onLoad: (person: PersonState) => PersonState
}

async function* pagesOf(scope: OwnScope, size: number, over: PagesOver): AsyncIterable<readonly (readonly [string, PersonState])[]> {
  const isNew = new Set(over.changed.keys())
  let after: string | undefined
  for (;;) {
    const entries = await scope.scan({ prefix: PEOPLE, limit: size, ...(after === undefined ? {} : { after }) })
    if (entries.length === 0) break
    after = entries.at(-1)!.key
    const page: (readonly [string, PersonState])[] = []
    const visiting: string[] = []
    for (const { key, document } of entries) {
      const id = key.slice(PEOPLE.length)
      isNew.delete(id)
      if (!over.cached.has(id)) {
        over.cached.set(id, over.onLoad(document as PersonState))
        visiting.push(id)
      }
      const person = over.cached.get(id)
      if (person) page.push([id, person])
    }
    yield page
    for (const id of visiting) if (!over.changed.has(id)) over.cached.delete(id)
  }
  yield [...isNew].flatMap((id) => {
    const person = over.cached.get(id)
    return person ? [[id, person] as const] : []
  })
}

const writesOf = (storedTimers: ReadonlyMap<string, number | null>, cached: ReadonlyMap<string, PersonState | undefined>): PeopleWrites => {
  const puts: (readonly [string, unknown])[] = []
  const deletes: string[] = []
  const timers: (readonly [string, number | null])[] = []
  for (const [id, stored] of storedTimers) {
    const person = cached.get(id)!
    const at = timerOf(person)
    if (at !== stored) timers.push([id, at])
    if (isGone(person)) deletes.push(personKey(id))
    else puts.push([personKey(id), person])
  }
  return { puts, deletes, timers }
}

/** Flip numbers outlive a person; one that never flipped leaves nothing behind. */
const isGone = ({ slots, memberships }: PersonState): boolean => Object.keys(slots).length === 0 && Object.keys(memberships).length === 0
