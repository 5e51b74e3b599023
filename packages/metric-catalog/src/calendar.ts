import { createZone, type Interval, type Millis } from '@millrace/contracts'

/** Days, weeks and months as text `YYYY-MM-DD` (their first day); arithmetic on them knows no time zone. */
export type Day = string
export type DayInterval = Exclude<Interval, 'hour'>

const DAY_MS = 86_400_000

const utc = (day: Day): number => Date.parse(`${day}T00:00:00Z`)
const text = (ms: number): Day => new Date(ms).toISOString().slice(0, 10)

export const addDays = (day: Day, days: number): Day => text(utc(day) + days * DAY_MS)
export const daysBetween = (from: Day, to: Day): number => Math.round((utc(to) - utc(from)) / DAY_MS)

/** First day of the day, ISO week (Monday) or month that holds `day`. */
export const startOf = (interval: DayInterval, day: Day): Day => {
  if (interval === 'day') return day
  if (interval === 'month') return `${day.slice(0, 8)}01`
  const weekday = (new Date(utc(day)).getUTCDay() + 6) % 7
  return addDays(day, -weekday)
}

/** The start that lies `count` intervals behind a start. */
export const stepFrom = (interval: DayInterval, start: Day, count: number): Day => {
  if (interval === 'day') return addDays(start, count)
  if (interval === 'week') return addDays(start, 7 * count)
  const months = Number(start.slice(0, 4)) * 12 + Number(start.slice(5, 7)) - 1 + count
  return `${String(Math.floor(months / 12)).padStart(4, '0')}-${String((months % 12) + 1).padStart(2, '0')}-01`
}

/** Every start from the one that holds `from` to the one that holds `to`. */
export const startsBetween = (interval: DayInterval, from: Day, to: Day): Day[] => {
  const starts: Day[] = []
  for (let at = startOf(interval, from); at <= to; at = stepFrom(interval, at, 1)) starts.push(at)
  return starts
}

const MINUTE_MS = 60_000

/**
 * The first instant of a day in a zone: found by halving, since no rule holds for all zones (a day can start at 01:00).
 * Zones change at whole minutes in the years that are taken, so a minute is fine enough.
 */
export const startOfDay = (zone: string, day: Day): Millis => {
  const dayOf = createZone(zone).day
  let before = (utc(day) - 2 * DAY_MS) / MINUTE_MS
  let start = (utc(day) + 2 * DAY_MS) / MINUTE_MS
  while (start - before > 1) {
    const middle = Math.floor((start + before) / 2)
    if (dayOf(middle * MINUTE_MS) >= day) start = middle
    else before = middle
  }
  return start * MINUTE_MS
}
