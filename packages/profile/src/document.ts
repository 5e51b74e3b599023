import { ANONYMOUS, formatUnits, type Key, type Millis, typeOf, USER, valueOf, type Zone } from '@millrace/contracts'
import { daysOf, sessionsOf } from './activity.ts'
import { addStates } from './add.ts'
import { averageOf } from './money.ts'
import { bounds, emptyState, type CountRow, type KeyRow, type OrderRow, type Part, type ProfileState, type SumRow, type Touch, type TraitVersion } from './state.ts'
import { toldTrait } from './traits.ts'

/** A moment in an answer: ISO 8601, UTC. */
type Moment = string

export interface Identity {
  readonly type: string
  readonly value: string
}
export interface TraitOrigin {
  readonly value: unknown
  readonly at: Moment
  /** The event that set it. */
  readonly event: string
  readonly messageId: string
  readonly source: string
}
export interface TouchAnswer {
  readonly at: Moment
  readonly event: string
  readonly messageId: string
  readonly channel: string
  readonly campaign: { readonly source: string; readonly medium: string; readonly name: string; readonly term: string; readonly content: string }
  readonly referrer: string
}
export interface Money {
  readonly currency: string
  readonly orders: number
  /** Decimal text with at most four fraction digits, as all money. */
  readonly revenue: string
  readonly refunds: string
  /** Revenue without refunds. */
  readonly net: string
  /** Revenue by orders; null without orders. */
  readonly average: string | null
}
export interface Counted {
  readonly name: string
  readonly count: number
  readonly first: Moment
  readonly last: Moment
}

/** What is known of a person, in the shape of an answer. README.md defines each field. */
export interface Profile {
  /** Of several users that were merged, the one with the smallest number. */
  readonly userId: string | null
  readonly anonymousIds: readonly string[]
  /** Keys under which events of this person came, and keys that are linked to it; sorted. */
  readonly identities: readonly Identity[]
  readonly events: number
  readonly firstSeen: Moment | null
  readonly lastSeen: Moment | null
  readonly traits: Readonly<Record<string, unknown>>
  /** For each trait, unset ones too: its last distinct values, newest first. */
  readonly traitHistory: Readonly<Record<string, readonly TraitOrigin[]>>
  readonly firstTouch: TouchAnswer | null
  readonly lastTouch: TouchAnswer | null
  readonly firstChannel: string | null
  readonly lastChannel: string | null
  readonly channels: readonly Counted[]
  readonly devices: readonly { readonly id: string; readonly lastSeen: Moment; readonly type: string; readonly model: string; readonly os: string }[]
  readonly activity: {
    readonly zone: string
    readonly days: number
    /** Events by hour of the day, 0 to 23. */
    readonly hours: readonly number[]
    readonly sessions: number
    readonly sessionsTotalMs: number
    readonly sessionsAverageMs: number | null
    readonly lastSessionAt: Moment | null
  }
  readonly orders: {
    readonly count: number
    readonly firstAt: Moment | null
    readonly lastAt: Moment | null
    /** Mean time between two orders; null with fewer than two. */
    readonly intervalMs: number | null
    readonly last: { readonly id: string | null; readonly at: Moment; readonly amount: string; readonly currency: string } | null
    readonly byCurrency: readonly Money[]
  }
  readonly otherRevenue: readonly { readonly currency: string; readonly revenue: string; readonly events: number }[]
  readonly eventCounts: readonly Counted[]
  readonly consent: Readonly<Record<string, boolean>>
  /** Parts that are over a bound, and so are not whole. Empty for nearly everybody. */
  readonly partial: readonly Part[]
}

/** Adds the slots of a person up. The same for any order of slots. `linked` are keys under which no event need have come. */
export const profileOf = (slots: readonly ProfileState[], zone: Zone, linked: readonly Key[] = []): Profile =>
  answer(sumOf(slots), zone, linked)

export const sumOf = (slots: readonly ProfileState[]): ProfileState =>
  slots.length === 1 ? slots[0]! : slots.reduce(addStates, emptyState())

const answer = (state: ProfileState, zone: Zone, linked: readonly Key[]): Profile => {
  const told = state.traits.map((row) => [row[0], toldTrait(row, state.deleted)] as const)
  return {
    ...identitiesOf(state.keys, linked),
    events: state.events,
    firstSeen: momentOrNull(state.first),
    lastSeen: momentOrNull(state.last),
    traits: Object.fromEntries(told.flatMap(([name, { value }]) => (value === null ? [] : [[name, value]]))),
    traitHistory: Object.fromEntries(told.map(([name, { history }]) => [name, history.map(originOf)])),
    firstTouch: touchOf(state.firstTouch),
    lastTouch: touchOf(state.lastTouch),
    firstChannel: state.firstChannel?.[2] ?? null,
    lastChannel: state.lastChannel?.[2] ?? null,
    channels: state.channels.map(countedOf),
    devices: state.devices.map(([id, time, , type, model, os]) => ({ id, lastSeen: moment(time), type, model, os })),
    activity: activityOf(state, zone),
    orders: ordersOf(state.orders),
    otherRevenue: state.other.map(([currency, units, events]) => ({ currency, revenue: formatUnits(BigInt(units)), events })),
    eventCounts: state.names.map(countedOf),
    consent: Object.fromEntries(state.consent.map(([category, , , allowed]) => [category, allowed])),
    partial: partialOf(state, told.some(([, trait]) => trait.partial)),
  }
}

/** Changes of one trait, and currencies of one order's refunds, have bounds of their own, which only show here. */
const partialOf = ({ partial, orders }: ProfileState, traits: boolean): readonly Part[] => {
  const parts = new Set(partial)
  if (traits) parts.add('traits')
  if (orders.some(([, , , refunds]) => refunds.length >= bounds.currencies)) parts.add('orders')
  return [...parts].sort()
}

const identitiesOf = (keys: readonly KeyRow[], linked: readonly Key[]): Pick<Profile, 'userId' | 'anonymousIds' | 'identities'> => {
  const numbers = new Map<Key, number>(linked.map((key) => [key, Infinity]))
  for (const [key, number] of keys) numbers.set(key, number)
  const identities = [...numbers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, number]) => ({ type: typeOf(key), value: valueOf(key), number }))
  // Two that have no number are in the order of their keys; the difference of two infinities is none.
  const users = identities.filter(({ type }) => type === USER).sort((a, b) => (a.number === b.number ? 0 : a.number - b.number))
  return {
    userId: users[0]?.value ?? null,
    anonymousIds: identities.filter(({ type }) => type === ANONYMOUS).map(({ value }) => value),
    identities: identities.map(({ type, value }) => ({ type, value })),
  }
}

const moment = (time: Millis): Moment => new Date(time).toISOString()
const momentOrNull = (time: Millis | null): Moment | null => (time === null ? null : moment(time))

const originOf = ([time, messageId, value, event, source]: TraitVersion): TraitOrigin =>
  ({ value, at: moment(time), event, messageId, source })

const touchOf = (touch: Touch | null): TouchAnswer | null => {
  if (touch === null) return null
  const { time, event, messageId, channel, referrer, source, medium, name, term, content } = touch
  return { at: moment(time), event, messageId, channel, campaign: { source, medium, name, term, content }, referrer }
}

const countedOf = ([name, count, first, last]: CountRow): Counted => ({ name, count, first: moment(first), last: moment(last) })

const activityOf = (state: ProfileState, zone: Zone): Profile['activity'] => {
  const sessions = sessionsOf(state.active)
  return {
    zone: zone.name,
    ...daysOf(state.active, zone),
    sessions: sessions?.count ?? 0,
    sessionsTotalMs: sessions?.totalMs ?? 0,
    sessionsAverageMs: sessions && Math.round(sessions.totalMs / sessions.count),
    lastSessionAt: momentOrNull(sessions?.lastStart ?? null),
  }
}

const ordersOf = (rows: readonly OrderRow[]): Profile['orders'] => {
  const orders = rows.filter(([, completed, first]) => completed !== null && first !== null)
  const times = orders.map(([, , first]) => first!).sort((a, b) => a - b)
  const lastAt = times.at(-1) ?? null
  return {
    count: orders.length,
    firstAt: momentOrNull(times[0] ?? null),
    lastAt: momentOrNull(lastAt),
    intervalMs: times.length < 2 ? null : Math.round((lastAt! - times[0]!) / (times.length - 1)),
    last: lastOrderOf(orders.filter(([, , first]) => first === lastAt)),
    byCurrency: moneyOf(rows),
  }
}

/** Of orders of the same moment, the one with the greatest id. */
const lastOrderOf = (newest: readonly OrderRow[]): Profile['orders']['last'] => {
  const row = newest.at(-1)
  if (!row) return null
  const [id, completed, first] = row
  const [, , units, currency] = completed!
  return { id: id.startsWith('=') ? id.slice(1) : null, at: moment(first!), amount: formatUnits(BigInt(units)), currency }
}

const moneyOf = (rows: readonly OrderRow[]): readonly Money[] => {
  const sums = new Map<string, { orders: number; revenue: bigint; refunds: bigint }>()
  const of = (currency: string) => {
    const sum = sums.get(currency) ?? { orders: 0, revenue: 0n, refunds: 0n }
    sums.set(currency, sum)
    return sum
  }
  for (const row of rows) {
    const [, completed, first] = row
    if (completed !== null && first !== null) {
      const sum = of(completed[3])
      sum.orders++
      sum.revenue += BigInt(completed[2])
    }
    for (const [currency, units] of refundsOf(row)) of(currency).refunds += BigInt(units)
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([currency, { orders, revenue, refunds }]) => ({
    currency,
    orders,
    revenue: formatUnits(revenue),
    refunds: formatUnits(refunds),
    net: formatUnits(revenue - refunds),
    average: orders === 0 ? null : formatUnits(averageOf(revenue, orders)),
  }))
}

/** An order that was taken back as a whole gives back what it was worth, whatever was given back before. */
const refundsOf = ([, completed, first, refunds, whole]: OrderRow): readonly SumRow[] =>
  whole && completed !== null && first !== null ? [[completed[3], completed[2], 1]] : refunds
