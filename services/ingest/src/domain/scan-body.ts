import { isUtf8 } from 'node:buffer'
import type { Fields } from '@millrace/contracts'
import {
  behindColon, endOfString, endOfValue, skipSpace, BACKSLASH, CLOSE_LIST, CLOSE_OBJECT, COMMA, NONE, OPEN_LIST, OPEN_OBJECT, QUOTE,
} from './json-scan.ts'
import type { SentEvent } from './sent-event.ts'

export interface ScannedBatch {
  /** Each with those of its fields that the checks at the door look at. */
  readonly events: readonly SentEvent[]
  /** sentAt, context, writeKey. */
  readonly fields: Fields
}

/**
 * A batch without JSON.parse: its events as they lie in the body, each with the few fields that ingest reads. Null for anything
 * unusual, which is then read in the ordinary way: no JSON, no UTF-8, a key written with escapes, an event that is no object.
 */
export const scanBatch = (body: Buffer): ScannedBatch | null => {
  if (!isUtf8(body)) return null
  const fields: BatchFields = { batch: undefined, sentAt: undefined, context: undefined, writeKey: undefined }
  const end = eachField(body, skipSpace(body, 0), fields, BATCH_FIELDS)
  const { batch, ...others } = fields
  return isWhole(body, end) && Array.isArray(batch) ? { events: batch as readonly SentEvent[], fields: others } : null
}

/** A body that is one event. Null as of `scanBatch`. */
export const scanSingle = (body: Buffer): SentEvent | null => {
  if (!isUtf8(body)) return null
  const start = skipSpace(body, 0)
  const event = scanEvent(body, start)
  return event !== null && isWhole(body, event.end) ? event : null
}

const isWhole = (body: Buffer, end: number): boolean => end !== NONE && skipSpace(body, end) === body.length

const scanList = (body: Buffer, open: number, events: SentEvent[]): number => {
  if (body[open] !== OPEN_LIST) return NONE
  let at = skipSpace(body, open + 1)
  if (body[at] === CLOSE_LIST) return at + 1
  for (;;) {
    const event = scanEvent(body, at)
    if (event === null) return NONE
    events.push(event)
    at = skipSpace(body, event.end)
    if (body[at] === CLOSE_LIST) return at + 1
    if (body[at] !== COMMA) return NONE
    at = skipSpace(body, at + 1)
  }
}

const scanEvent = (body: Buffer, start: number): SentEvent | null => {
  const raw = emptyFields()
  const end = eachField(body, start, raw, EVENT_FIELDS)
  return end === NONE ? null : { raw, bytes: body, start, end, scanned: true }
}

/** Takes the fields that `names` lists out of the object at `open`. @returns where it ends, or NONE: no object, or a key with escapes */
const eachField = (body: Buffer, open: number, into: Record<string, unknown>, names: Names): number => {
  if (body[open] !== OPEN_OBJECT) return NONE
  let at = skipSpace(body, open + 1)
  if (body[at] === CLOSE_OBJECT) return at + 1
  for (;;) {
    if (body[at] !== QUOTE) return NONE
    const keyEnd = endOfKey(body, at)
    const value = behindColon(body, keyEnd)
    if (value === NONE) return NONE
    const name = nameOf(names, body, at + 1, keyEnd - 1)
    const end = name === undefined ? endOfValue(body, value, 1) : take(body, into, name, value)
    if (end === NONE) return NONE
    at = skipSpace(body, end)
    if (body[at] === CLOSE_OBJECT) return at + 1
    if (body[at] !== COMMA) return NONE
    at = skipSpace(body, at + 1)
  }
}

/** Behind a key without escapes, or NONE. */
const endOfKey = (body: Buffer, open: number): number => {
  const plain = endOfPlainText(body, open)
  if (plain !== NONE) return plain
  const end = endOfString(body, open)
  return end === NONE || hasEscape(body, open, end) ? NONE : end
}

const hasEscape = (body: Buffer, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) if (body[at] === BACKSLASH) return true
  return false
}

/** Names by their length: most keys are told apart by it. */
type Names = readonly (readonly string[] | undefined)[]

const namesByLength = (names: readonly string[]): Names => {
  const byLength: string[][] = []
  for (const name of names) (byLength[name.length] ??= []).push(name)
  return byLength
}

/** All fields from the start: objects of one shape are read faster. */
const emptyFields = (): Record<string, unknown> => ({
  type: undefined, event: undefined, userId: undefined, anonymousId: undefined, previousId: undefined, groupId: undefined,
  messageId: undefined, timestamp: undefined, originalTimestamp: undefined, sentAt: undefined,
})
const EVENT_FIELDS = namesByLength(Object.keys(emptyFields()))

interface BatchFields extends Record<string, unknown> {
  batch: unknown
  sentAt: unknown
  context: unknown
  writeKey: unknown
}
const BATCH_FIELDS = namesByLength(['batch', 'sentAt', 'context', 'writeKey'])

const nameOf = (names: Names, body: Buffer, start: number, end: number): string | undefined => {
  const candidates = names[end - start]
  if (candidates === undefined) return undefined
  for (const name of candidates) if (isAt(body, start, name)) return name
  return undefined
}

const isAt = (body: Buffer, start: number, name: string): boolean => {
  for (let at = 0; at < name.length; at++) if (body[start + at] !== name.charCodeAt(at)) return false
  return true
}

/** The value as JSON.parse gives it, of a name that comes twice the last. @returns where it ends */
const take = (body: Buffer, into: Record<string, unknown>, name: string, start: number): number => {
  if (name === 'batch') {
    const events: SentEvent[] = []
    into['batch'] = events
    return scanList(body, start, events)
  }
  const plainEnd = body[start] === QUOTE ? endOfPlainText(body, start) : NONE
  const end = plainEnd === NONE ? endOfValue(body, start, 1) : plainEnd
  if (end === NONE) return NONE
  into[name] = plainEnd === NONE ? (JSON.parse(body.toString('utf8', start, end)) as unknown) : latin1(body, start + 1, end - 1)
  return end
}

/** What `toString('latin1')` itself calls, without its way there: five texts an event. */
type Latin1 = (start: number, end: number) => string
const slice = (Buffer.prototype as unknown as { readonly latin1Slice?: Latin1 }).latin1Slice
const latin1: (body: Buffer, start: number, end: number) => string =
  slice === undefined ? (body, start, end) => body.toString('latin1', start, end) : (body, start, end) => slice.call(body, start, end)

/** Behind a text of ASCII without escapes, which is itself; NONE for any other. */
const endOfPlainText = (body: Buffer, open: number): number => {
  for (let at = open + 1; ; at++) {
    const byte = body[at]!
    if (byte === QUOTE) return at + 1
    // Also where the body ends: nothing is no such byte.
    if (!(byte >= 0x20 && byte < 0x80 && byte !== BACKSLASH)) return NONE
  }
}
