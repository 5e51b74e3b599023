import type { Millis } from '@millrace/contracts'

/** The clock of a project's time zone. */
export interface Zone {
  readonly name: string
  /** What is added to UTC at that moment. */
  offsetMs(at: Millis): number
}

const DAY_MS = 86_400_000

/**
 * Offsets are asked of the platform once for each end of a UTC day and remembered; only within a day whose
 * ends differ is each quarter hour asked. @throws RangeError when the zone is unknown
 */
export const createZone = (name: string, daysMax = 20_000): Zone => {
  if (name === 'UTC') return { name, offsetMs: () => 0 }
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: name, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  })
  const ask = (at: Millis): number => {
    const of = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const local = Date.UTC(of['year']!, of['month']! - 1, of['day'], of['hour'], of['minute'], of['second'])
    return local - Math.floor(at / 1000) * 1000
  }
  const ends = new Map<number, number>()
  const atStart = (day: number): number => {
    const known = ends.get(day)
    if (known !== undefined) return known
    if (ends.size >= daysMax) ends.clear()
    const offset = ask(day * DAY_MS)
    ends.set(day, offset)
    return offset
  }
  return {
    name,
    offsetMs: (at) => {
      const day = Math.floor(at / DAY_MS)
      const start = atStart(day)
      return start === atStart(day + 1) ? start : ask(at)
    },
  }
}
