/** Milliseconds as ClickHouse reads a DateTime64(3): text, since 9-digit numbers of the year 2000 are ambiguous. */
export const timeText = (ms: number): string => new Date(ms).toISOString().slice(0, 23).replace('T', ' ')

const EARLIEST = Date.UTC(1900, 0, 1)
const LATEST = Date.UTC(2299, 11, 31)

/** The same, and null for a time that DateTime64 cannot hold: a sender's clock may say anything. */
export const timeTextOrNull = (ms: number | null): string | null =>
  ms === null || !(ms >= EARLIEST && ms <= LATEST) ? null : timeText(ms)

/** The UTC hour of a time, for the ledger. */
export const hourText = (ms: number): string => timeText(Math.floor(ms / 3_600_000) * 3_600_000).slice(0, 19)

/** One line of JSONEachRow. Lone surrogates, which ClickHouse refuses, become U+FFFD. */
export const jsonRow = (row: Readonly<Record<string, unknown>>): string => {
  const text = JSON.stringify(row)
  return text.includes('\\ud') ? JSON.stringify(wellFormed(row)) : text
}

const wellFormed = (value: unknown): unknown => {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(wellFormed)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner)]))
}

/** Rows as the bytes of one insert. */
export const rowBytes = (rows: readonly string[]): Buffer => Buffer.from(rows.length === 0 ? '' : `${rows.join('\n')}\n`)
