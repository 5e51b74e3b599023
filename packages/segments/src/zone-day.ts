import type { Millis } from '@millrace/contracts'

/** The calendar day of a time in one zone, as days since 1970-01-01. */
export type DayOf = (time: Millis) => number
