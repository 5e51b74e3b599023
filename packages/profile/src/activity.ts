import type { Millis, Zone } from '@millrace/contracts'
import { bounds, markPartial, type ProfileState } from './state.ts'

/**
 * Activity by quarter hours: quarter, first and last millisecond within it, number of events. Sessions, active days
 * and hours of the day are all read from it, in any zone (offsets are whole quarters since long before 2000).
 * Two events of one quarter are always in one session, so nothing is lost by not keeping each.
 */
export const QUARTER_MS = 15 * 60_000
/** Two events belong to one session when at most this lies between them. */
export const SESSION_GAP_MS = 30 * 60_000
const WIDTH = 4

export const includeActivity = (state: ProfileState, time: Millis): void => {
  const quarter = Math.floor(time / QUARTER_MS)
  const within = time - quarter * QUARTER_MS
  const { active } = state
  const at = placeOf(active, quarter)
  if (active[at] === quarter) {
    if (within < active[at + 1]!) active[at + 1] = within
    if (within > active[at + 2]!) active[at + 2] = within
    active[at + 3]!++
    return
  }
  if (at === active.length) active.push(quarter, within, within, 1)
  else active.splice(at, 0, quarter, within, within, 1)
  keepNewest(state)
}

/** The sum of two; the newest quarters stay. */
export const addActivity = (into: ProfileState, a: readonly number[], b: readonly number[]): void => {
  const sum: number[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const left = a[i] ?? Infinity
    const right = b[j] ?? Infinity
    if (left === right) {
      sum.push(left, Math.min(a[i + 1]!, b[j + 1]!), Math.max(a[i + 2]!, b[j + 2]!), a[i + 3]! + b[j + 3]!)
      i += WIDTH
      j += WIDTH
    } else if (left < right) {
      sum.push(left, a[i + 1]!, a[i + 2]!, a[i + 3]!)
      i += WIDTH
    } else {
      sum.push(right, b[j + 1]!, b[j + 2]!, b[j + 3]!)
      j += WIDTH
    }
  }
  into.active = sum
  keepNewest(into)
}

const keepNewest = (state: ProfileState): void => {
  const over = state.active.length - bounds.activeQuarters * WIDTH
  if (over <= 0) return
  state.active.splice(0, over)
  markPartial(state, 'activity')
}

const placeOf = (active: readonly number[], quarter: number): number => {
  const { length } = active
  if (length === 0 || active[length - WIDTH]! < quarter) return length
  let low = 0
  let high = length / WIDTH
  while (low < high) {
    const middle = (low + high) >> 1
    if (active[middle * WIDTH]! < quarter) low = middle + 1
    else high = middle
  }
  return low * WIDTH
}

export interface Sessions {
  readonly count: number
  /** From the first to the last event of each, added up. */
  readonly totalMs: number
  readonly lastStart: Millis
}

export const sessionsOf = (active: readonly number[]): Sessions | null => {
  if (active.length === 0) return null
  let count = 0
  let totalMs = 0
  let start = 0
  let end = -Infinity
  for (let at = 0; at < active.length; at += WIDTH) {
    const base = active[at]! * QUARTER_MS
    const first = base + active[at + 1]!
    if (first - end > SESSION_GAP_MS) {
      if (count > 0) totalMs += end - start
      count++
      start = first
    }
    end = base + active[at + 2]!
  }
  return { count, totalMs: totalMs + end - start, lastStart: start }
}

/** Days with activity and events by hour of the day, as the zone has them. */
export const daysOf = (active: readonly number[], zone: Zone): { days: number; hours: readonly number[] } => {
  const hours = Array.from({ length: 24 }, () => 0)
  let days = 0
  let before = -Infinity
  for (let at = 0; at < active.length; at += WIDTH) {
    const utc = active[at]! * QUARTER_MS
    const local = utc + zone.offsetMs(utc)
    const day = Math.floor(local / 86_400_000)
    // A clock that is put back over midnight repeats a day that was counted.
    if (day > before) {
      days++
      before = day
    }
    hours[Math.floor(local / 3_600_000) - day * 24]! += active[at + 3]!
  }
  return { days, hours }
}
