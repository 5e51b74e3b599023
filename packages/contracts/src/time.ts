import type { Millis } from './event.ts'

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/
const NUMBER = /^-?\d+(?:\.\d+)?$/
/** Below: seconds (up to the year 5138). */
const SECONDS_BELOW = 1e11
/** Below: milliseconds; at or above: microseconds. */
const MILLIS_BELOW = 1e14

/**
 * A sender's time in ms UTC, or null when it is none. Takes ISO 8601 with 0–9 fraction digits (cut to ms) and any
 * offset, `YYYY-MM-DD HH:mm:ss` (no offset means UTC), and numbers or numeric texts of seconds, ms or µs by size.
 */
export const parseTime = (value: unknown): Millis | null => {
  if (typeof value === 'number') return fromNumber(value)
  if (typeof value !== 'string') return null
  const usual = fromUsual(value)
  if (usual !== null) return usual
  const text = value.trim()
  if (NUMBER.test(text)) return fromNumber(Number(text))
  const parts = ISO.exec(text)
  return parts ? fromParts(parts) : null
}

const fromNumber = (value: number): Millis | null => {
  const size = Math.abs(value)
  if (!Number.isFinite(value) || size >= 1e17) return null
  // Adding 0 turns -0 into 0.
  if (size < SECONDS_BELOW) return Math.round(value * 1000) + 0
  return size < MILLIS_BELOW ? Math.floor(value) : Math.floor(value / 1000)
}

/** `YYYY-MM-DDTHH:mm:ss.SSSZ`, which nearly every SDK writes, without a regular expression; null: try the long way. */
const fromUsual = (text: string): Millis | null => {
  if (text.length !== 24 || text[23] !== 'Z' || text[10] !== 'T' || text[4] !== '-' || text[7] !== '-') return null
  if (text[13] !== ':' || text[16] !== ':' || text[19] !== '.') return null
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 7)
  const day = digits(text, 8, 10)
  const hour = digits(text, 11, 13)
  const minute = digits(text, 14, 16)
  const second = digits(text, 17, 19)
  const millis = digits(text, 20, 23)
  // A day from 29 on needs the calendar.
  const plain = year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= 28
  const inDay = hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59 && millis >= 0
  if (!plain || !inDay) return null
  return Date.UTC(year, month - 1, day, hour, minute, second, millis)
}

/** The number written in part of a text, or -1 when a character is no digit. */
const digits = (text: string, from: number, to: number): number => {
  let number = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return -1
    number = number * 10 + digit
  }
  return number
}

const fromParts = (parts: RegExpExecArray): Millis | null => {
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const [hour, minute, second] = [Number(parts[4] ?? 0), Number(parts[5] ?? 0), Number(parts[6] ?? 0)]
  if (year < 1000 || hour > 23 || minute > 59 || second > 60) return null
  const dayStart = Date.UTC(year, month - 1, day)
  // The calendar would turn 31 April into 1 May.
  if (new Date(dayStart).getUTCMonth() !== month - 1 || day === 0) return null
  const millis = Number((parts[7] ?? '0').padEnd(3, '0').slice(0, 3))
  return dayStart + ((hour * 60 + minute) * 60 + second) * 1000 + millis - offsetOf(parts[8])
}

const offsetOf = (zone: string | undefined): Millis => {
  if (!zone || zone === 'Z' || zone === 'z') return 0
  const plain = zone.slice(1).replace(':', '')
  const minutes = Number(plain.slice(0, 2)) * 60 + Number(plain.slice(2) || 0)
  return (zone[0] === '-' ? -minutes : minutes) * 60_000
}

/** A clock off by less is left alone: it is the way of the request. */
export const SKEW_FROM_MS = 60_000
/** A `sentAt` further away is no clock but an old body, an import or nonsense. */
const SKEW_TO_MS = 86_400_000

/** How far the sender's clock is behind ours: to be added to what it wrote. */
export const clockSkew = (sentAt: Millis | null, receivedAt: Millis): Millis => {
  if (sentAt === null) return 0
  const skew = receivedAt - sentAt
  return Math.abs(skew) >= SKEW_FROM_MS && Math.abs(skew) <= SKEW_TO_MS ? skew : 0
}

/** Midnight, 1 January 2000 UTC: nothing earlier is taken. */
export const OLDEST = 946_684_800_000
/** How far ahead of its receipt an event may lie. */
export const AHEAD_MS_MAX = 3_600_000
