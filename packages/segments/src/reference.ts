import {
  type CanonicalEvent, changed, compareOrder, createZones, decodeEvent, decodeRecord, type DecodeSettings, type DidLeaf, eachTraitChange, type FlipLine, isNobody, isRefusal, leavesOf,
  type Millis, type Origin, parseRule, type ResolvedEventLine, type ResolvedLine, type Rule, standing, type Zone,
} from '@millrace/contracts'
import { amountOf, finite, matchesEvent, matchesValue, toUnits } from './match.ts'
import { traitValue } from './slot-traits.ts'
import type { DayOf } from './zone-day.ts'

/** One record of events.resolved. */
export interface ReferenceRecord {
  readonly partition: number
  readonly offset: number
  readonly project: number
  readonly origins: readonly Origin[]
  readonly lines: readonly ResolvedLine[]
}
/** A record of the log as the reference reads it. @throws RecordError */
export const toReferenceRecord = ({ partition, offset, value }: { partition: number; offset: number; value: Uint8Array }): ReferenceRecord => {
  const { header, lines } = decodeRecord(value)
  const parsed = lines().map((line) => JSON.parse(line.toString()) as ResolvedLine)
  return { partition, offset, project: header.project, origins: header.origins, lines: parsed }
}
export type ReferenceSettings = DecodeSettings & { readonly zone: string }
export type ReferenceFlip = Pick<FlipLine, 'segment' | 'version' | 'person' | 'flip' | 'at' | 'number'>

/**
 * All flips, from the records of events.resolved alone: the yardstick of the evaluators and of the service, slow and
 * plain on purpose. It keeps whole events, never a state: what a `number.moved` carries is not read, since it must be
 * every event of that number in an earlier stay; a backfilled state is not read either, since it must be every event
 * of before.
 */
export const referenceFlips = (
  records: readonly ReferenceRecord[],
  settingsOf: (project: number) => ReferenceSettings,
  acceptedPartitions: number,
): readonly ReferenceFlip[] => {
  const world: World = { settingsOf, acceptedPartitions, byNumber: eventsByNumber(records, settingsOf), zoneOf: createZones() }
  const partitions = [...new Set(records.map((record) => record.partition))]
  return partitions.flatMap((partition) => {
    const own = records.filter((record) => record.partition === partition)
    return partitionFlips(own.toSorted((a, b) => a.offset - b.offset), world)
  })
}

interface World {
  readonly settingsOf: (project: number) => ReferenceSettings
  readonly acceptedPartitions: number
  /** By project and number: every event, with the stay in which it was filed. */
  readonly byNumber: ReadonlyMap<string, readonly (readonly [epoch: number, event: CanonicalEvent])[]>
  readonly zoneOf: (name: string) => Zone
}
interface Slot {
  events: CanonicalEvent[]
  expected: boolean
  leaving: boolean
}
interface Person {
  readonly id: string
  readonly project: number
  readonly slots: Map<string, Slot>
  readonly memberships: Map<string, { number: number; in: boolean }>
  next: Millis
}
interface Segment {
  readonly id: string
  readonly project: number
  version: number
  rule: Rule | null
  live: boolean
  completed: Set<number>
}

const eventsByNumber = (records: readonly ReferenceRecord[], settingsOf: World['settingsOf']): World['byNumber'] => {
  const all = new Map<string, (readonly [number, CanonicalEvent])[]>()
  for (const record of records) {
    for (const line of record.lines) {
      if (line.type !== 'event' || isNobody(line.key)) continue
      const name = `${record.project}/${line.number}`
      const events = all.get(name) ?? []
      events.push([line.epoch, decoded(record, line, settingsOf)])
      all.set(name, events)
    }
  }
  return all
}

const decoded = (record: ReferenceRecord, line: ResolvedEventLine, settingsOf: World['settingsOf']): CanonicalEvent => {
  const event = decodeEvent(record.origins[line.origin]!, settingsOf(record.project), line.event)
  if (isRefusal(event)) throw new Error(`record ${record.partition}/${record.offset}: ${event.detail}`)
  return event
}

const partitionFlips = (records: readonly ReferenceRecord[], world: World): readonly ReferenceFlip[] => {
  const flips: ReferenceFlip[] = []
  const people = new Map<string, Person>()
  const segments = new Map<string, Segment>()
  let clock: Millis = 0

  const personOf = (id: string, project: number): Person => {
    const person = people.get(id) ?? { id, project, slots: new Map(), memberships: new Map(), next: Infinity }
    people.set(id, person)
    return person
  }
  const slotOf = (person: Person, number: number, epoch: number): Slot => {
    const slot = person.slots.get(`${number}@${epoch}`) ?? { events: [], expected: false, leaving: false }
    person.slots.set(`${number}@${epoch}`, slot)
    return slot
  }
  const set = (person: Person, segment: Segment, value: boolean): void => {
    const before = person.memberships.get(segment.id) ?? { number: 0, in: false }
    if (before.in === value) return
    const number = before.number + 1
    person.memberships.set(segment.id, { number, in: value })
    flips.push({ segment: segment.id, version: segment.version, person: person.id, flip: value ? 'entered' : 'exited', at: clock, number })
  }
  const judge = (person: Person): void => {
    person.next = Infinity
    const slots = [...person.slots.values()].filter((slot) => !slot.leaving)
    if (slots.some((slot) => slot.expected)) return
    const events = slots.flatMap((slot) => slot.events)
    for (const segment of segments.values()) {
      if (segment.project !== person.project || !segment.live || !segment.rule) continue
      set(person, segment, slots.length > 0 && holds(segment.rule, events, clock, dayOf(person.project)))
      if (slots.length > 0) person.next = Math.min(person.next, nextMoment(segment.rule, events, clock))
    }
  }
  const dayOf = (project: number): DayOf => world.zoneOf(world.settingsOf(project).zone).dayNumber
  const advance = (to: Millis): void => {
    if (to <= clock) return
    clock = to
    for (const person of people.values()) if (person.next <= clock) judge(person)
  }

  const apply = (record: ReferenceRecord, line: ResolvedLine): void => {
    const { project } = record
    switch (line.type) {
      case 'event': {
        if (isNobody(line.key)) return
        const person = personOf(line.person, project)
        slotOf(person, line.number, line.epoch).events.push(decoded(record, line, world.settingsOf))
        return judge(person)
      }
      case 'number.expected': {
        const person = personOf(line.person, project)
        slotOf(person, line.number, line.epoch).expected = true
        return judge(person)
      }
      case 'number.left': {
        const person = personOf(line.person, project)
        const slot = person.slots.get(`${line.number}@${line.epoch}`)
        if (slot?.expected) slot.leaving = true
        else person.slots.delete(`${line.number}@${line.epoch}`)
        return judge(person)
      }
      case 'number.moved': {
        if (line.for !== 'segmentation') return
        advance(line.clock)
        const person = personOf(line.person, project)
        const slot = slotOf(person, line.number, line.epoch)
        const past = (world.byNumber.get(`${project}/${line.number}`) ?? []).filter(([epoch]) => epoch < line.epoch)
        slot.events.push(...past.map(([, event]) => event))
        slot.expected = false
        if (slot.leaving) person.slots.delete(`${line.number}@${line.epoch}`)
        return judge(person)
      }
      case 'clock.advanced':
        return advance(line.at)
      case 'rule.changed': {
        const name = `${project}/${line.segment}`
        const segment = segments.get(name) ?? { id: line.segment, project, version: 0, rule: null, live: false, completed: new Set() }
        if (line.version <= segment.version) return
        segments.set(name, segment)
        segment.version = line.version
        segment.live = false
        segment.completed = new Set()
        segment.rule = ruleOf(line.rule, world.settingsOf(project))
        if (segment.rule) return
        for (const person of people.values()) if (person.project === project) set(person, segment, false)
        return
      }
      case 'backfill.completed': {
        const segment = segments.get(`${project}/${line.segment}`)
        if (!segment?.rule || segment.version !== line.version || segment.live) return
        segment.completed.add(line.from)
        if (segment.completed.size < world.acceptedPartitions) return
        segment.live = true
        for (const person of people.values()) if (person.project === project) judge(person)
        return
      }
      case 'state.backfilled':
        return
    }
  }
  for (const record of records) {
    advance(Math.max(0, ...record.origins.map((origin) => origin.receivedAt)))
    for (const line of record.lines) apply(record, line)
  }
  return flips
}

const ruleOf = (raw: unknown, { currency }: ReferenceSettings): Rule | null => {
  const parsed = raw === null ? null : parseRule(raw, { currency })
  return parsed?.ok ? parsed.rule : null
}

/** A rule's value over whole events at one clock, by nothing but its words. */
export const holds = (rule: Rule, events: readonly CanonicalEvent[], clock: Millis, dayOf: DayOf): boolean => {
  switch (rule.kind) {
    case 'all':
      return rule.of.every((inner) => holds(inner, events, clock, dayOf))
    case 'any':
      return rule.of.some((inner) => holds(inner, events, clock, dayOf))
    case 'not':
      return !holds(rule.of, events, clock, dayOf)
    case 'did':
      return didHolds(rule, events, clock, dayOf)
    case 'profile':
      return matchesValue(rule.condition, latestTrait(rule.condition.trait, events))
  }
}

const didHolds = (leaf: DidLeaf, events: readonly CanonicalEvent[], clock: Millis, dayOf: DayOf): boolean => {
  const inWindow = ({ timestamp }: CanonicalEvent): boolean =>
    timestamp <= clock && (leaf.windowMs === null || timestamp > clock - leaf.windowMs)
  const counted = events.filter((event) => inWindow(event) && matchesEvent(leaf, event))
  const { op, value } = leaf.comparison
  if (leaf.measure !== 'sum') {
    const measured = leaf.measure === 'count' ? counted.length : new Set(counted.map(({ timestamp }) => dayOf(timestamp))).size
    return compare(op, measured, value)
  }
  const sum = counted.reduce((total, event) => total + BigInt(amountOf(leaf, event) ?? 0), 0n)
  return compare(op, Number(sum), typeof value === 'number' ? toUnits(value) : [toUnits(value[0]), toUnits(value[1])])
}

const compare = (op: string, measured: number, value: number | readonly [number, number]): boolean => {
  const [low, high] = typeof value === 'number' ? [value, value] : value
  if (op === 'between') return low <= measured && measured <= high
  return { eq: measured === low, neq: measured !== low, gt: measured > low, gte: measured >= low, lt: measured < low, lte: measured <= low }[op]!
}

/** What all events in their order, change by change, make of a trait. */
const latestTrait = (name: string, events: readonly CanonicalEvent[]): unknown => {
  const ordered = events.toSorted((a, b) =>
    compareOrder({ time: a.timestamp, messageId: a.messageId }, { time: b.timestamp, messageId: b.messageId }))
  let now = standing(null)
  for (const event of ordered) {
    if (event.type !== 'group' && event.traitOps?.delete) now = standing(null)
    eachTraitChange(event, (changing, kind, value) => {
      if (changing === name) now = changed(now, kind, typeof value === 'number' ? finite(value) : value)
    })
  }
  return traitValue(now.value)
}

/** The next time at which any event enters or leaves a window. */
const nextMoment = (rule: Rule, events: readonly CanonicalEvent[], clock: Millis): Millis => {
  let next = Infinity
  for (const leaf of leavesOf(rule)) {
    if (leaf.kind !== 'did') continue
    for (const { timestamp } of events) {
      if (timestamp > clock) next = Math.min(next, timestamp)
      if (leaf.windowMs !== null && timestamp + leaf.windowMs > clock) next = Math.min(next, timestamp + leaf.windowMs)
    }
  }
  return next
}
