import type { Millis } from '@millrace/contracts'

/** The calendar day of a time in one zone, as days since 1970-01-01. */
export type DayOf = (time: Millis) => number

const DAY_MS = 86_400_000
/** All offsets since 2000 change at whole quarter hours. */
const QUARTER_MS = 900_000
const CACHED_MAX = 50_000

/** One function per zone: the zone's offset is asked once a quarter hour and kept, up to a bound. */
export const dayOfZone = (zone: string): DayOf => {
  if (zone === 'UTC') return (time) => Math.floor(time / DAY_MS)
  const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const days = new Map<number, number>()
  return (time) => {
    const quarter = Math.floor(time / QUARTER_MS)
    const known = days.get(quarter)
    if (known !== undefined) return known
    if (days.size >= CACHED_MAX) days.clear()
    const day = Math.floor(Date.parse(`${format.format(time)}T00:00:00Z`) / DAY_MS)
    days.set(quarter, day)
    return day
  }
}
