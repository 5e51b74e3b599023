import type { AcceptedControl, CanonicalEvent, IdentityFact, Key, Order, Project, ResolvedLine } from '@millrace/contracts'
import { compareOrder, decodeEvent, decodeRecord, filedKeyOf, identitiesOf, isNobody, shardOf } from '@millrace/contracts'
import type { ReferenceMap } from '@millrace/identity/simulation'
import { referenceMap } from '@millrace/identity/simulation'
import type { LogRecord } from '@millrace/ports'
import type { Tally } from './small-fold.ts'
import { MEMBER_FROM_SUM, tally, tallyOf } from './small-fold.ts'

/** What must come of a history, told by plain loops over the log with no protocol, no state and no fault in them. */
export interface Expected {
  readonly map: ReferenceMap
  readonly numbers: ReadonlyMap<Key, number>
  readonly eventsOfNumber: ReadonlyMap<number, readonly string[]>
  readonly tallies: ReadonlyMap<string, Tally>
}

export const expectedOf = (project: Project, accepted: readonly (readonly LogRecord[])[]): Expected => {
  const facts: IdentityFact[] = []
  const numbers = new Map<Key, number>()
  const byKey = new Map<Key, unknown[]>()
  const messages = new Map<number, string[]>()
  const counters = new Map<number, number>()
  const pairs = new Map<string, { first: Order | null; cut: Order | null }>()
  const seen = new Set<string>()
  const onEvent = (event: CanonicalEvent, raw: unknown): void => {
    const key = filedKeyOf(project, event)
    if (seen.has(`${key}\n${event.messageId}`)) return
    seen.add(`${key}\n${event.messageId}`)
    if (!numbers.has(key)) {
      const shard = shardOf(project.id, key)
      const count = counters.get(shard) ?? 0
      counters.set(shard, count + 1)
      numbers.set(key, count * 64 + shard)
      facts.push({ type: 'key.numbered', key, number: count * 64 + shard, at: 0 })
    }
    byKey.set(key, [...(byKey.get(key) ?? []), raw])
    const number = numbers.get(key)!
    messages.set(number, [...(messages.get(number) ?? []), event.messageId])
    const order = { time: event.timestamp, messageId: event.messageId }
    if (key.startsWith('user_id:') && event.type !== 'alias') facts.push({ type: 'user.seen', key, at: 0 })
    for (const other of isNobody(key) ? [] : identitiesOf(project, event)) {
      const pair = pairs.get(`${key}\n${other}`) ?? { first: null, cut: null }
      if (pair.cut && compareOrder(order, pair.cut) <= 0) continue
      if (!pair.first || compareOrder(order, pair.first) < 0) pair.first = order
      pairs.set(`${key}\n${other}`, pair)
      facts.push({ type: 'pair.linked', a: key, b: other, first: pair.first, unlinkedUpTo: null, at: 0 })
    }
    if (event.type === 'alias' && event.userId !== null && event.previousId !== null) {
      facts.push({ type: 'keys.aliased', x: event.previousId, y: event.userId, order, at: 0 })
    }
  }
  const onCommand = (line: AcceptedControl): void => {
    if (line.type !== 'identity.command' || line.a === line.b) return
    const { a, b, order } = line
    if (line.op === 'merge') {
      for (const key of [a, b]) if (key.startsWith('user_id:')) facts.push({ type: 'user.seen', key, at: 0 })
      facts.push({ type: 'keys.merged', a, b, order, by: '', at: 0 })
      return
    }
    // The home of a pair of a user and a device is the user's; of two users, the smaller's.
    const [home, other] = b.startsWith('user_id:') && b < a ? [b, a] : [a, b]
    const pair = pairs.get(`${home}\n${other}`) ?? { first: null, cut: null }
    if (!pair.cut || compareOrder(order, pair.cut) > 0) pair.cut = order
    if (pair.first && compareOrder(pair.first, pair.cut) <= 0) pair.first = null
    pairs.set(`${home}\n${other}`, pair)
    facts.push({ type: 'pair.linked', a: home, b: other, first: pair.first, unlinkedUpTo: null, at: 0 })
    facts.push({ type: 'keys.unmerged', a, b, order, by: '', at: 0 })
  }
  for (const record of accepted.flat()) {
    const { header, lines } = decodeRecord(record.value)
    for (const line of lines()) {
      const raw = JSON.parse(line.toString()) as unknown
      if (header.kind === 'control') onCommand(raw as AcceptedControl)
      else onEvent(decodeEvent(header.origins[0]!, project, raw) as CanonicalEvent, raw)
    }
  }
  const map = referenceMap(project, facts)
  const tallies = new Map<string, Tally>()
  for (const [key, events] of byKey) {
    const person = map.person.get(key)!
    for (const event of events) tallies.set(person, tally.add(tallies.get(person) ?? tally.empty(), tallyOf(event)))
  }
  return { map, numbers, eventsOfNumber: messages, tallies }
}

/**
 * The flips that the recorded order of one partition asks for: a person is its numbers' stays, each a list of amounts;
 * while one of them waits for its past, the answer stands.
 */
export const flipsOf = (records: readonly LogRecord[]): ReadonlyMap<string, number> => {
  interface Stay {
    sum: number
    waits: boolean
    gone: boolean
  }
  const persons = new Map<string, Map<string, Stay>>()
  const flips = new Map<string, number>()
  for (const record of records) {
    for (const text of decodeRecord(record.value).lines()) {
      const line = JSON.parse(text.toString()) as ResolvedLine
      if (!('person' in line)) continue
      const stays = persons.get(line.person) ?? persons.set(line.person, new Map()).get(line.person)!
      const id = `${line.number}/${line.epoch}`
      const stay = stays.get(id) ?? { sum: 0, waits: false, gone: false }
      stays.set(id, stay)
      if (line.type === 'event') stay.sum += tallyOf(line.event).sum
      if (line.type === 'number.expected') stay.waits = true
      if (line.type === 'number.left') stay.gone = true
      if (line.type === 'number.moved') {
        stay.sum += (line.state as Tally | null)?.sum ?? 0
        stay.waits = false
      }
      const here = [...stays.values()].filter((each) => !each.gone)
      if (here.some((each) => each.waits)) continue
      const isMember = here.reduce((sum, each) => sum + each.sum, 0) >= MEMBER_FROM_SUM
      const before = flips.get(line.person) ?? 0
      if (isMember !== (before % 2 === 1)) flips.set(line.person, before + 1)
    }
  }
  return flips
}
