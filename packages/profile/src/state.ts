import type { Millis, TraitAt, TraitStep } from '@millrace/contracts'

/** One value of a trait: the greatest (time, messageId) is the value of today; null says that it was unset. */
export type TraitVersion = readonly [time: Millis, messageId: string, value: unknown, event: string, source: string]
/** `steps`: changes after the newest version that are no plain sets. A row without any has only versions, which may be none with steps. */
export type TraitRow = readonly [name: string, versions: readonly TraitVersion[], steps?: readonly TraitStep[]]
/** A key whose events are in the state, and its number. */
export type KeyRow = readonly [key: string, number: number]
export type CountRow = readonly [name: string, count: number, first: Millis, last: Millis]
export type ConsentRow = readonly [category: string, time: Millis, messageId: string, allowed: boolean]
/** A device, described by the last event that it sent. */
export type DeviceRow = readonly [id: string, time: Millis, messageId: string, type: string, model: string, os: string]
/** Sum of money in 1/10000, as text: JSON has no integer of that size. */
export type SumRow = readonly [currency: string, units: string, count: number]
export type Completed = readonly [time: Millis, messageId: string, units: string, currency: string]
export type OrderRow = readonly [
  id: string,
  /** The last word on what was bought; null while only refunds are known. */
  completed: Completed | null,
  /** When the order was first completed. */
  first: Millis | null,
  refunds: readonly SumRow[],
  /** The whole order was taken back. */
  whole: boolean,
]

/** Where a person came from. */
export interface Touch {
  readonly time: Millis
  readonly messageId: string
  readonly event: string
  readonly channel: string
  readonly source: string
  readonly medium: string
  readonly name: string
  readonly term: string
  readonly content: string
  readonly referrer: string
}
export type ChannelAt = readonly [time: Millis, messageId: string, channel: string]

/** Parts that can go over their bound; each is named in `partial` when it did. */
export type Part = 'keys' | 'traits' | 'events' | 'channels' | 'consent' | 'devices' | 'orders' | 'revenue' | 'touch' | 'activity'

/**
 * What the events of one number add up to. JSON values only. Every part is a commutative and associative sum, also
 * over its bound, so states are added in any order and late events need no special case.
 */
export interface ProfileState {
  keys: KeyRow[]
  events: number
  first: Millis | null
  last: Millis | null
  traits: TraitRow[]
  /** The newest delete: it hides every change of a trait up to it. */
  deleted?: TraitAt | undefined
  names: CountRow[]
  channels: CountRow[]
  consent: ConsentRow[]
  devices: DeviceRow[]
  orders: OrderRow[]
  /** Revenue of events that are no orders. */
  other: SumRow[]
  firstTouch: Touch | null
  lastTouch: Touch | null
  firstChannel: ChannelAt | null
  lastChannel: ChannelAt | null
  /** Quarter hours with activity, four numbers each, ascending: quarter, first and last ms in it, events. */
  active: number[]
  /** Sorted. */
  partial: Part[]
}

/** Of one number; README.md says what each costs. */
export const bounds = {
  keys: 1000,
  traits: 200,
  traitVersions: 3,
  /** Characters of a trait's value as JSON. */
  traitValueChars: 1024,
  eventNames: 500,
  channels: 50,
  consentCategories: 100,
  devices: 50,
  orders: 2000,
  currencies: 20,
  /** Quarter hours: at three a day about seven years. */
  activeQuarters: 8000,
  textChars: 256,
  referrerChars: 1024,
} as const

export const emptyState = (): ProfileState => ({
  keys: [],
  events: 0,
  first: null,
  last: null,
  traits: [],
  names: [],
  channels: [],
  consent: [],
  devices: [],
  orders: [],
  other: [],
  firstTouch: null,
  lastTouch: null,
  firstChannel: null,
  lastChannel: null,
  active: [],
  partial: [],
})

/** A state that may be changed without the other noticing: rows are never changed in place, so tables suffice. */
export const copyState = (state: ProfileState): ProfileState => ({
  ...state,
  keys: state.keys.slice(),
  traits: state.traits.slice(),
  names: state.names.slice(),
  channels: state.channels.slice(),
  consent: state.consent.slice(),
  devices: state.devices.slice(),
  orders: state.orders.slice(),
  other: state.other.slice(),
  active: state.active.slice(),
  partial: state.partial.slice(),
})

/** Says that a part is not whole. Never silent: the answer names it. */
export const markPartial = (state: ProfileState, part: Part): void => {
  if (state.partial.includes(part)) return
  state.partial.push(part)
  state.partial.sort()
}

/** Text within the bound; what is longer is cut, and the part is marked. */
export const clip = (state: ProfileState, part: Part, text: string, max: number = bounds.textChars): string => {
  if (text.length <= max) return text
  markPartial(state, part)
  return text.slice(0, max)
}

export const earliest = (a: Millis | null, b: Millis | null): Millis | null =>
  a === null ? b : b === null ? a : Math.min(a, b)
export const latest = (a: Millis | null, b: Millis | null): Millis | null =>
  a === null ? b : b === null ? a : Math.max(a, b)

/**
 * Above 0 when `a` is later, by time, then by message id. Two keys of one person may have sent the same message id at
 * the same time with different content; then the content decides, so that the order of additions does not.
 */
export const later = (timeA: Millis, idA: string, a: unknown, timeB: Millis, idB: string, b: unknown): number =>
  timeA - timeB || byText(idA, idB) || byText(JSON.stringify(a), JSON.stringify(b))

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
