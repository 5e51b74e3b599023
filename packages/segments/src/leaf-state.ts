import type { DidLeaf, Millis } from '@millrace/contracts'
import type { DayOf } from './zone-day.ts'

/**
 * What one number did for one `did` leaf. Addition is the union of what was kept, so it is commutative and
 * associative; `settle` then drops what no clock from now on can ask for. Plain JSON: it is stored and travels.
 */
export interface LeafState {
  /** Times of events, ascending. */
  readonly t: readonly Millis[]
  /** Of a sum: the amount of each time, in 1/10000. */
  readonly a?: readonly number[]
  /** Of `ever`, no longer kept one by one: how many events, their sum in 1/10000 (decimal text), the latest time. */
  readonly n?: number
  readonly s?: string
  readonly last?: Millis
  /** Latest time of what the bound threw away: the leaf is partial while that time lies in its window. */
  readonly cut?: Millis
}

/** The past comes once, from SQL, and is set; what the stream brings is added. Never mixed, so each is idempotent. */
export interface LeafStates {
  readonly p?: LeafState
  readonly l?: LeafState
}

export const STATE_BOUNDS = {
  /** Amounts of a windowed sum, and events ahead of the clock, per number. */
  entriesMax: 4096,
} as const

export const emptyLeaf: LeafState = { t: [] }

/** Adds one event. The caller has matched it; `amount` is 0 except in a sum. */
export const addEvent = (leaf: DidLeaf, state: LeafState, time: Millis, amount: number): LeafState => {
  let at = state.t.length
  while (at > 0 && state.t[at - 1]! > time) at--
  const t = state.t.toSpliced(at, 0, time)
  return leaf.measure === 'sum' ? { ...state, t, a: (state.a ?? []).toSpliced(at, 0, amount) } : { ...state, t }
}

/** Union of two states of the same leaf, without knowing the leaf. */
export const mergeLeaf = (x: LeafState, y: LeafState): LeafState => {
  const sums = x.s !== undefined || y.s !== undefined
  return {
    ...mergeEntries(x, y),
    ...(x.n !== undefined || y.n !== undefined ? { n: (x.n ?? 0) + (y.n ?? 0) } : {}),
    ...(sums ? { s: String(BigInt(x.s ?? 0) + BigInt(y.s ?? 0)) } : {}),
    ...later('last', x.last, y.last),
    ...later('cut', x.cut, y.cut),
  }
}

const later = <Name extends 'last' | 'cut'>(name: Name, x: Millis | undefined, y: Millis | undefined): { [name in Name]?: Millis } =>
  (x === undefined && y === undefined ? {} : { [name]: Math.max(x ?? y!, y ?? x!) }) as { [name in Name]?: Millis }

const mergeEntries = (x: LeafState, y: LeafState): Pick<LeafState, 't' | 'a'> => {
  if (y.t.length === 0) return entriesOf(x)
  if (x.t.length === 0) return entriesOf(y)
  const entries = [...pairs(x), ...pairs(y)].sort(byTimeThenAmount)
  const t = entries.map(([time]) => time)
  return x.a || y.a ? { t, a: entries.map(([, amount]) => amount) } : { t }
}

const entriesOf = ({ t, a }: LeafState): Pick<LeafState, 't' | 'a'> => (a ? { t, a } : { t })
const pairs = ({ t, a }: LeafState): (readonly [Millis, number])[] => t.map((time, index) => [time, a?.[index] ?? 0])
const byTimeThenAmount = (x: readonly [number, number], y: readonly [number, number]): number => x[0] - y[0] || x[1] - y[1]

/** How many of the latest entries decide a comparison: one more than the greatest value that it names. */
export const keepOf = (leaf: DidLeaf): number =>
  1 + (leaf.comparison.op === 'between' ? leaf.comparison.value[1] : leaf.comparison.value)

/**
 * Drops what no clock from `clock` on can ask for: what has left the window, and of counts and days all but the
 * latest k + 1 (while those are in the window the answer cannot fall to k). Events ahead of the clock stay.
 */
export const settle = (leaf: DidLeaf, state: LeafState, clock: Millis, dayOf: DayOf): LeafState => {
  const floor = leaf.windowMs === null ? -Infinity : clock - leaf.windowMs
  const from = firstAbove(state.t, floor)
  const to = firstAbove(state.t, clock)
  if (leaf.windowMs === null && leaf.measure !== 'distinct-days') return fold(leaf, state, to)
  if (leaf.measure === 'sum') return bound(slice(state, from), to - from)
  const kept = leaf.measure === 'count' ? Math.max(from, to - keepOf(leaf)) : from
  if (leaf.measure === 'count') return boundAhead(slice(state, kept), to - kept)
  return boundAhead({ ...state, t: [...latestDays(leaf, state.t.slice(from, to), dayOf), ...state.t.slice(to)] }, to - from)
}

/** Index of the first time that is greater. */
export const firstAbove = (times: readonly Millis[], time: Millis): number => {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle]! <= time) low = middle + 1
    else high = middle
  }
  return low
}

const slice = (state: LeafState, from: number): LeafState => {
  if (from === 0) return state
  return { ...state, t: state.t.slice(from), ...(state.a ? { a: state.a.slice(from) } : {}) }
}

/** `ever`: what is not ahead of the clock will never leave, so integers are enough. */
const fold = (leaf: DidLeaf, state: LeafState, present: number): LeafState => {
  if (present === 0) return boundAhead(state, 0)
  const folded = { n: (state.n ?? 0) + present, last: Math.max(state.last ?? -Infinity, state.t[present - 1]!) }
  if (leaf.measure !== 'sum') return boundAhead({ ...slice(state, present), ...folded }, 0)
  const sum = state.a!.slice(0, present).reduce((total, amount) => total + BigInt(amount), BigInt(state.s ?? 0))
  return boundAhead({ ...slice(state, present), ...folded, s: String(sum) }, 0)
}

/** The latest time of each of the latest k + 1 days. */
const latestDays = (leaf: DidLeaf, times: readonly Millis[], dayOf: DayOf): readonly Millis[] => {
  const kept: Millis[] = []
  const keep = keepOf(leaf)
  let day = NaN
  for (let index = times.length - 1; index >= 0 && kept.length < keep; index--) {
    if (dayOf(times[index]!) === day) continue
    day = dayOf(times[index]!)
    kept.push(times[index]!)
  }
  return kept.reverse()
}

/** A windowed sum needs every amount: over the bound the oldest go, and the leaf says that it is partial. */
const bound = (state: LeafState, present: number): LeafState => {
  const over = present - STATE_BOUNDS.entriesMax
  if (over <= 0) return boundAhead(state, present)
  return boundAhead({ ...slice(state, over), cut: Math.max(state.cut ?? -Infinity, state.t[over - 1]!) }, present - over)
}

const boundAhead = (state: LeafState, present: number): LeafState => {
  const end = present + STATE_BOUNDS.entriesMax
  if (state.t.length <= end) return state
  return { ...state, t: state.t.slice(0, end), ...(state.a ? { a: state.a.slice(0, end) } : {}), cut: state.t.at(-1)! }
}

/** All that a number has done for a leaf, past and live. */
export const wholeOf = ({ p, l }: LeafStates): LeafState => (p && l ? mergeLeaf(p, l) : (p ?? l ?? emptyLeaf))
