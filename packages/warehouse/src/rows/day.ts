const QUARTER_MS = 900_000
const CACHED_MAX = 20_000

/**
 * The date of a time in a zone, as `2024-01-31`. Zones change at whole quarter hours of UTC (since 1972), so one
 * answer serves a quarter hour; the answers kept are bounded.
 * @throws RangeError for an unknown zone
 */
export const createDayOf = (zone: string): ((ms: number) => string) => {
  if (zone === 'UTC') return (ms) => new Date(ms).toISOString().slice(0, 10)
  const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const known = new Map<number, string>()
  return (ms) => {
    const quarter = Math.floor(ms / QUARTER_MS)
    const found = known.get(quarter)
    if (found !== undefined) return found
    if (known.size >= CACHED_MAX) known.clear()
    const day = format.format(quarter * QUARTER_MS)
    known.set(quarter, day)
    return day
  }
}
