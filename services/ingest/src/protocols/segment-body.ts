import { type EventType, isFields, parseTime, ProblemError } from '@millrace/contracts'
import { scanBatch, scanSingle } from '../domain/scan-body.ts'
import type { SentEvent } from '../domain/sent-event.ts'
import { sentEvents, withField } from '../domain/sort-events.ts'
import { sliceOfBody, splitBatch } from '../domain/split-batch.ts'
import type { Wire } from '../domain/wire.ts'
import type { Sent } from './protocol.ts'

/** A context goes into the header of each record of its request. */
const CONTEXT_LENGTH_MAX = 32_768

/** By the scanner; what is unusual to it, by JSON.parse, with the same result. @throws ProblemError when the body as a whole is no batch */
export const readBatch = (wire: Wire, eventsMax: number): Sent => {
  const scanned = scanBatch(wire.body)
  return scanned === null ? parseBatch(wire, eventsMax) : sent(scanned.fields, scanned.events, eventsMax)
}

/** The ordinary way: JSON.parse, and where each event lies beside it. */
export const parseBatch = (wire: Wire, eventsMax: number): Sent => {
  const parsed = wire.json()
  if (!isFields(parsed) || !Array.isArray(parsed['batch'])) throw new ProblemError('BATCH_MISSING')
  const batch = parsed['batch'] as readonly unknown[]
  if (batch.length > eventsMax) throw tooLong(batch.length)
  return sent(parsed, sentEvents(batch, wire.body, splitBatch(wire.body)), eventsMax)
}

const sent = (fields: Readonly<Record<string, unknown>>, events: readonly SentEvent[], eventsMax: number): Sent => {
  if (events.length > eventsMax) throw tooLong(events.length)
  const context = isFields(fields['context']) ? fields['context'] : undefined
  if (context && lengthOf(context) > CONTEXT_LENGTH_MAX) {
    throw new ProblemError('BODY_TOO_LARGE', `the context of the batch is over ${CONTEXT_LENGTH_MAX} characters`)
  }
  return { sentAt: parseTime(fields['sentAt']), context, events }
}

const tooLong = (events: number): ProblemError => new ProblemError('BATCH_TOO_LONG', `the batch has ${events} events`)

/** One event; where it does not name its type, the path does. */
export const readSingle = (wire: Wire, type: EventType): Sent => {
  return single(scanSingle(wire.body) ?? parseSingle(wire), type)
}

/** The ordinary way. */
export const parseSingle = (wire: Wire): SentEvent => ({ raw: wire.json(), bytes: wire.body, ...sliceOfBody(wire.body), scanned: false })

export const single = (event: SentEvent, type: EventType): Sent => {
  const { raw } = event
  const untyped = isFields(raw) && (raw['type'] === undefined || raw['type'] === null)
  return { sentAt: null, clockAt: isFields(raw) ? parseTime(raw['sentAt']) : null, events: [untyped ? { ...withField(event, 'type', type), scanned: event.scanned } : event] }
}

/** The write key that stands in the body. @throws ProblemError NOT_JSON */
export const keyInBody = (wire: Wire): string | undefined => {
  const parsed = wire.json()
  return isFields(parsed) && typeof parsed['writeKey'] === 'string' && parsed['writeKey'] !== '' ? parsed['writeKey'] : undefined
}

const lengthOf = (value: unknown): number => {
  try {
    return JSON.stringify(value).length
  } catch {
    // Nested too deeply to be written.
    return Number.POSITIVE_INFINITY
  }
}
