import type { IdentityCommand, IdentityFact, Key, KeyPlaced, Millis, NumberExpected, NumberLeft, Order } from '@millrace/contracts'
import { compareOrder, homeKeyOf, personIdOf, typeOf, USER } from '@millrace/contracts'

/** What the home of a key keeps of it. The home alone gives the number and switches it between persons (R4). */
export interface KeyDocument {
  /** null: placed or named, but no event was filed under it yet. */
  readonly number: number | null
  /** Offset of the accepted record that gave the number. */
  readonly numberedAt: number
  /** null: its own, not worked out yet. */
  readonly person: string | null
  readonly epoch: number
  /** A user id counts as a user once an event or a merge carries it; an alias alone may name a device. */
  readonly seen: boolean
  readonly pairs: Readonly<Record<Key, Pair>>
}

export interface Pair {
  readonly first: Order | null
  readonly unlinkedUpTo: Order | null
}

/** What of an event concerns identity. */
export interface Carried {
  /** Filed key. */
  readonly key: Key
  /** The other keys beside it. */
  readonly others: readonly Key[]
  /** An alias event names two ids; their types are not told. */
  readonly alias: { readonly x: string; readonly y: string } | null
  readonly isAlias: boolean
  readonly order: Order
  readonly at: Millis
}

export interface HomeStep {
  readonly document: KeyDocument
  readonly facts: readonly IdentityFact[]
}

export const newKeyDocument: KeyDocument = { number: null, numberedAt: -1, person: null, epoch: 0, seen: false, pairs: {} }

/**
 * A key that is seen beside more others than this links no more of them: it is no identity but a placeholder that
 * the list of blocked values lacks, and its document would grow without a bound.
 */
export const PAIRS_OF_KEY_MAX = 1000

export const personOf = (project: number, key: Key, document: KeyDocument): string =>
  document.person ?? personIdOf(project, key)

/** An event that is no repeat. `nextNumber` is taken when the key has none. */
export const onEvent = (document: KeyDocument, carried: Carried, nextNumber: number, offset: number): HomeStep => {
  const facts: IdentityFact[] = []
  let next = document
  // Seen before numbered: a user id that only has a number would first be placed as the device of its name.
  if (!next.seen && !carried.isAlias && typeOf(carried.key) === USER) {
    next = { ...next, seen: true }
    facts.push({ type: 'user.seen', key: carried.key, at: carried.at })
  }
  if (next.number === null) {
    next = { ...next, number: nextNumber, numberedAt: offset }
    facts.push({ type: 'key.numbered', key: carried.key, number: nextNumber, at: carried.at })
  }
  for (const other of carried.others) next = link(next, carried, other, facts)
  if (carried.alias && carried.alias.x !== carried.alias.y) {
    facts.push({ type: 'keys.aliased', ...carried.alias, order: carried.order, at: carried.at })
  }
  return { document: next, facts }
}

/** A fact is told only when the pair's first link gets earlier (R2), and never for what an unlink has cut (R3). */
const link = (document: KeyDocument, { key, order, at }: Carried, other: Key, facts: IdentityFact[]): KeyDocument => {
  const pair = document.pairs[other]
  if (pair?.unlinkedUpTo && compareOrder(order, pair.unlinkedUpTo) <= 0) return document
  if (pair?.first && compareOrder(order, pair.first) >= 0) return document
  if (!pair && Object.keys(document.pairs).length >= PAIRS_OF_KEY_MAX) return document
  const unlinkedUpTo = pair?.unlinkedUpTo ?? null
  facts.push({ type: 'pair.linked', a: key, b: other, first: order, unlinkedUpTo, at })
  return { ...document, pairs: { ...document.pairs, [other]: { first: order, unlinkedUpTo } } }
}

/** A command of a person: goes to the home of the pair (`homeKeyOf`), whose document this is. */
export const onCommand = (document: KeyDocument, command: IdentityCommand, at: Millis): HomeStep => {
  const { a, b, order, by } = command
  if (a === b) return { document, facts: [] }
  if (command.op === 'merge') {
    const users = [a, b].filter((key) => typeOf(key) === USER)
    const seen = users.map((key): IdentityFact => ({ type: 'user.seen', key, at }))
    const own = homeKeyOf(a, b)
    const next = typeOf(own) === USER && !document.seen ? { ...document, seen: true } : document
    return { document: next, facts: [...seen, { type: 'keys.merged', a, b, order, by, at }] }
  }
  const home = homeKeyOf(a, b)
  const other = home === a ? b : a
  const before = document.pairs[other]?.unlinkedUpTo ?? null
  const unlinkedUpTo = before && compareOrder(before, order) > 0 ? before : order
  const first = document.pairs[other]?.first ?? null
  const kept = first && compareOrder(first, unlinkedUpTo) > 0 ? first : null
  return {
    document: { ...document, pairs: { ...document.pairs, [other]: { first: kept, unlinkedUpTo } } },
    facts: [
      { type: 'pair.linked', a: home, b: other, first: kept, unlinkedUpTo, at },
      { type: 'keys.unmerged', a, b, order, by, at },
    ],
  }
}

export interface PlacedStep {
  readonly document: KeyDocument
  /** Both belong into one transaction, `left` at the old person and `expected` at the new (R9). */
  readonly left: NumberLeft | null
  readonly expected: NumberExpected | null
}

/**
 * Identity has decided. An epoch that is not newer was overtaken and changes nothing; nor does a way that ended where
 * it began, and then the epoch stays too, since the state at the person lies in its slot.
 */
export const onPlaced = (project: number, document: KeyDocument, { key, person, epoch }: KeyPlaced): PlacedStep => {
  const from = personOf(project, key, document)
  if (epoch <= document.epoch || person === from) return { document, left: null, expected: null }
  const next = { ...document, person, epoch }
  const { number } = document
  if (number === null) return { document: next, left: null, expected: null }
  return {
    document: next,
    left: { type: 'number.left', number, epoch: document.epoch, nextEpoch: epoch, person: from, to: person },
    expected: { type: 'number.expected', number, epoch, person },
  }
}

