import type { EventType, Millis } from './event.ts'
import { type Refusal, refuse } from './errors.ts'
import { type Fields, given, isFields } from './fields.ts'
import { ID_LENGTH_MAX } from './filed-key.ts'
import type { Origin } from './record.ts'
import { AHEAD_MS_MAX, clockSkew, OLDEST, parseTime } from './time.ts'

/** What of an origin the times of an event depend on. */
export type Timing = Pick<Origin, 'receivedAt' | 'sentAt' | 'skewMs'>

export interface EventTimes {
  /** Corrected for the sender's clock; may still lie up to an hour ahead of the receipt. */
  readonly timestamp: Millis
  /** What the sender wrote. */
  readonly original: Millis | null
  readonly sentAt: Millis | null
}

export interface Accepted {
  readonly ok: true
  readonly raw: Fields
  readonly type: EventType
  /** Of a track; empty for the other types. */
  readonly name: string
  readonly times: EventTimes
}

const TYPES: ReadonlySet<unknown> = new Set<EventType>(['track', 'page', 'screen', 'identify', 'group', 'alias'])
export const EVENT_NAME_LENGTH_MAX = 256

export const isEventType = (value: unknown): value is EventType => TYPES.has(value)

/** The checks at the door, of one event in Segment's shape. What passes here can be decoded by every consumer. */
export const acceptEvent = (raw: unknown, origin: Timing): Accepted | Refusal => {
  if (!isFields(raw)) return refuse('NOT_AN_OBJECT')
  const type = raw['type']
  if (!isEventType(type)) return refuse('TYPE_UNKNOWN', `type is ${told(type)}`)
  const name = type === 'track' ? eventName(raw['event']) : ''
  if (typeof name !== 'string') return name
  const ids = checkIds(type, raw)
  if (ids) return ids
  const times = timesOf(raw, origin)
  return 'ok' in times ? times : { ok: true, raw, type, name, times }
}

/** Nothing to trim, nothing to compose. */
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$/

const eventName = (value: unknown): string | Refusal => {
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
  const name = PLAIN.test(text) ? text : text.toWellFormed().trim().normalize('NFC')
  if (name === '') return refuse('EVENT_NAME_MISSING')
  return name.length > EVENT_NAME_LENGTH_MAX ? refuse('EVENT_NAME_TOO_LONG', `event has ${name.length} characters`) : name
}

const checkIds = (type: EventType, raw: Fields): Refusal | null => {
  if (absent(raw['userId']) && absent(raw['anonymousId'])) return refuse('IDENTITY_MISSING')
  if (type === 'alias' && absent(raw['previousId'])) return refuse('PREVIOUS_ID_MISSING')
  if (type === 'group' && absent(raw['groupId'])) return refuse('GROUP_ID_MISSING')
  return checkId('userId', raw) ?? checkId('anonymousId', raw) ?? checkId('previousId', raw) ?? checkId('groupId', raw)
}

const checkId = (field: string, raw: Fields): Refusal | null => {
  const value = raw[field]
  if (typeof value === 'string') {
    return value.length > ID_LENGTH_MAX && value.trim().length > ID_LENGTH_MAX
      ? refuse('ID_TOO_LONG', `${field} has ${value.length} characters`) : null
  }
  if (absent(value) || typeof value === 'boolean' || Number.isSafeInteger(value)) return null
  return refuse('ID_INVALID', `${field} is ${typeof value === 'number' ? 'a number that JSON does not carry exactly' : told(value)}`)
}

/** An empty text is there, but blocked: such an event is kept and is nobody. */
const absent = (value: unknown): boolean => value === undefined || value === null

const timesOf = (raw: Fields, origin: Timing): EventTimes | Refusal => {
  const sentAt = parseTime(raw['sentAt']) ?? origin.sentAt
  const explicit = given(raw['timestamp'])
  const written = explicit ?? given(raw['originalTimestamp'])
  if (written === undefined) return { timestamp: origin.receivedAt, original: null, sentAt }
  const time = parseTime(written)
  if (time === null) return refuse('TIMESTAMP_INVALID', `timestamp is ${told(written)}`)
  const original = parseTime(raw['originalTimestamp']) ?? time
  // With both fields, `timestamp` is the caller's own word and `originalTimestamp` the SDK's clock: kept as it is.
  const chosen = explicit !== undefined && given(raw['originalTimestamp']) !== undefined
  const timestamp = chosen ? time : time + (origin.skewMs ?? clockSkew(sentAt, origin.receivedAt))
  if (timestamp < OLDEST) return refuse('TOO_OLD', `the event happened at ${told(written)}`)
  if (timestamp > origin.receivedAt + AHEAD_MS_MAX) return refuse('TOO_NEW', `the event happened at ${told(written)}`)
  return { timestamp, original, sentAt }
}

const TOLD_LENGTH_MAX = 60

/** A short account of a value for a detail; never a whole event. */
const told = (value: unknown): string => {
  if (value === undefined) return 'missing'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = String(value).toWellFormed()
  return text.length > TOLD_LENGTH_MAX ? `${text.slice(0, TOLD_LENGTH_MAX)}…` : text
}
