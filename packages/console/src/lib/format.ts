import { localeOf } from './words.ts'

/** Numbers and times in the language of the page (taken from the document, which `App` keeps). */
const locale = (): string => localeOf(document.documentElement.lang)

export const count = (value: number): string => value.toLocaleString(locale())

export const clockTime = (at: number): string => new Date(at).toLocaleTimeString(locale(), { hour: '2-digit', minute: '2-digit', second: '2-digit' })

export const dayAndTime = (at: number): string =>
  new Date(at).toLocaleString(locale(), { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })

/** A span in its largest unit: `3 min`, `2 天`. */
export const span = (ms: number): string => {
  const [unit, size] = UNITS.find(([, least]) => ms >= least) ?? (['second', 1000] as const)
  const value = ms / size
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: unit === 'second' && value < 10 ? 1 : 0 }).format(value)
}

const UNITS = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000]] as const
