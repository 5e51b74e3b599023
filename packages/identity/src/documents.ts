import { createHash } from 'node:crypto'
import type { Key, Order } from '@millrace/contracts'
import { ANONYMOUS, compareOrder, keyOf, typeOf, USER, valueOf } from '@millrace/contracts'

/**
 * What identity keeps, in documents by id, so that a fact reads and writes only its neighbourhood (R8).
 *
 *   b/<project>/<base>         BaseDocument     an id and the keys that it may be
 *   l/<project>/<base> <base>  LinkDocument     all facts between two ids
 *   p/<project>/<person>       PersonKeys       the keys of a person
 */
export type DocumentId = string

/**
 * `user_id:v` and `anonymous_id:v` have one base, `~v`: an alias does not say which of the two it means, and a user
 * that nobody has seen is the device of that name.
 */
export type Base = string

export interface BaseDocument {
  readonly keys: Readonly<Record<Key, KeyState>>
  /** Bases that facts connect with this one. */
  readonly others: readonly Base[]
  /** More facts than any person could use: it is no identity, implied links of it are not kept. */
  readonly overfull?: true
}

export interface KeyState {
  readonly number: number | null
  readonly seen: boolean
  readonly person: string
  readonly personNumber: number | null
}

export interface LinkDocument {
  /** By `pairId` of the two typed keys. */
  readonly pairs: Readonly<Record<string, PairFacts>>
  readonly aliased: readonly Order[]
  /** What became of each link (`linkId`): 'joined', or why it was refused. */
  readonly outcomes: Readonly<Record<string, Outcome>>
}

export interface PairFacts {
  readonly a: Key
  readonly b: Key
  /** Of `pair.linked`, the last word of its home. */
  readonly linked: Order | null
  readonly merged: readonly Order[]
  readonly cut: Order | null
}

export type Outcome = 'joined' | Refusal
export type Refusal = 'unique' | 'keysPerPersonMax' | 'usersPerDeviceMax' | 'mergedPersonsMax'

export interface PersonKeys {
  readonly keys: readonly Key[]
}

export const baseOf = (key: Key): Base => {
  const type = typeOf(key)
  return type === USER || type === ANONYMOUS ? `~${valueOf(key)}` : key
}

/** The keys that a base may be: one, or user and device. */
export const keysOfBase = (base: Base): readonly Key[] =>
  base.startsWith('~') ? [keyOf(USER, base.slice(1)), keyOf(ANONYMOUS, base.slice(1))] : [base]

export const ordered = <Text extends string>(a: Text, b: Text): readonly [Text, Text] => (a <= b ? [a, b] : [b, a])
export const pairId = (a: Key, b: Key): string => ordered(a, b).join('\n')

export const baseDocumentId = (project: number, base: Base): DocumentId => `b/${project}/${bounded(base)}`
export const linkDocumentId = (project: number, a: Base, b: Base): DocumentId =>
  `l/${project}/${bounded(ordered(a, b).join('\n'))}`
export const personDocumentId = (project: number, person: string): DocumentId => `p/${project}/${person}`
/** Of the home's document of a key. */
export const keyDocumentId = (project: number, key: Key): DocumentId => `key/${project}/${bounded(key)}`

const ID_LENGTH_MAX = 160

/** Stores bound the length of a key in bytes; an id is only ever compared, so a long one is replaced by its hash. */
const bounded = (text: string): string =>
  text.length <= ID_LENGTH_MAX ? text : `#${createHash('sha256').update(text).digest('base64url')}`

export const newLinkDocument: LinkDocument = { pairs: {}, aliased: [], outcomes: {} }

export const EXPLICIT_FACTS_MAX = 100

/** One more order in a bounded, sorted list. Over the bound the earliest and the latest stay: any order of arrival gives the same. */
export const withOrder = (orders: readonly Order[], order: Order): readonly Order[] => {
  if (orders.some((other) => compareOrder(other, order) === 0)) return orders
  const all = [...orders, order].sort(compareOrder)
  return all.length <= EXPLICIT_FACTS_MAX ? all : [...all.slice(0, EXPLICIT_FACTS_MAX - 1), all.at(-1)!]
}

export const latest = (a: Order | null, b: Order | null): Order | null =>
  a === null ? b : b === null || compareOrder(a, b) >= 0 ? a : b
export const earliest = (a: Order | null, b: Order | null): Order | null =>
  a === null ? b : b === null || compareOrder(a, b) <= 0 ? a : b
