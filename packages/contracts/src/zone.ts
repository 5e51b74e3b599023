import type { Millis } from './event.ts'

/** The calendar of one time zone: the only place that turns an instant into a day. */
export interface Zone {
  readonly name: string
  /** What is added to UTC at that moment. */
  offsetMs(at: Millis): Millis
  /** The calendar day, as days since 1970-01-01. */
  dayNumber(at: Millis): number
  /** The calendar day, as `2024-01-31`. */
  day(at: Millis): string
}

const DAY_MS = 86_400_000

/**
 * Offsets are asked of the platform once for each end of a UTC day and remembered, up to a bound; only within a day
 * whose ends differ is each instant asked.
 * @throws RangeError when the zone is unknown
 */
export const createZone = (name: string, daysMax = 20_000): Zone => {
  const offsetMs = name === 'UTC' ? () => 0 : offsetIn(name, daysMax)
  const dayNumber = (at: Millis): number => Math.floor((at + offsetMs(at)) / DAY_MS)
  const texts = new Map<number, string>()
  return {
    name,
    offsetMs,
    dayNumber,
    day: (at) => {
      const number = dayNumber(at)
      const known = texts.get(number)
      if (known !== undefined) return known
      if (texts.size >= daysMax) texts.clear()
      const text = new Date(number * DAY_MS).toISOString().slice(0, 10)
      texts.set(number, text)
      return text
    },
  }
}

/** Zones by name: making one costs more than using it. There are as many as the platform knows names of zones, some hundreds. */
export const createZones = (): ((name: string) => Zone) => {
  const zones = new Map<string, Zone>()
  return (name) => {
    const known = zones.get(name) ?? createZone(name)
    zones.set(name, known)
    return known
  }
}

const offsetIn = (name: string, daysMax: number): ((at: Millis) => Millis) => {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: name, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  })
  const ask = (at: Millis): Millis => {
    const of = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const local = Date.UTC(of['year']!, of['month']! - 1, of['day'], of['hour'], of['minute'], of['second'])
    return local - Math.floor(at / 1000) * 1000
  }
  const ends = new Map<number, Millis>()
  const atStart = (day: number): Millis => {
    const known = ends.get(day)
    if (known !== undefined) return known
    if (ends.size >= daysMax) ends.clear()
    const offset = ask(day * DAY_MS)
    ends.set(day, offset)
    return offset
  }
  return (at) => {
    const day = Math.floor(at / DAY_MS)
    const start = atStart(day)
    return start === atStart(day + 1) ? start : ask(at)
  }
}
