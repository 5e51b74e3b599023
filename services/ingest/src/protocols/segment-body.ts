import { type EventType, isFields, parseTime, ProblemError } from '@millrace/contracts'
import { sentEvents, withField } from '../domain/sort-events.ts'
import { sliceOfBody, splitBatch } from '../domain/split-batch.ts'
import type { Sent } from './protocol.ts'

/** A context goes into the header of each record of its request. */
const CONTEXT_LENGTH_MAX = 32_768

/** @throws ProblemError when the body as a whole is no batch */
export const readBatch = (parsed: unknown, body: Buffer, eventsMax: number): Sent => {
  if (!isFields(parsed) || !Array.isArray(parsed['batch'])) throw new ProblemError('BATCH_MISSING')
  const batch = parsed['batch'] as readonly unknown[]
  if (batch.length > eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the batch has ${batch.length} events`)
  const context = isFields(parsed['context']) ? parsed['context'] : undefined
  if (context && lengthOf(context) > CONTEXT_LENGTH_MAX) {
    throw new ProblemError('BODY_TOO_LARGE', `the context of the batch is over ${CONTEXT_LENGTH_MAX} characters`)
  }
  return { sentAt: parseTime(parsed['sentAt']), context, events: sentEvents(batch, body, splitBatch(body)) }
}

/** One event; where it does not name its type, the path does. */
export const readSingle = (parsed: unknown, body: Buffer, type: EventType): Sent => {
  const slice = sliceOfBody(body)
  const bytes = body.subarray(slice.start, slice.end)
  const untyped = isFields(parsed) && (parsed['type'] === undefined || parsed['type'] === null) && Object.keys(parsed).length > 0
  const event = untyped
    ? { raw: { ...parsed, type }, bytes: withField(bytes, 'type', type), depth: slice.depth }
    : { raw: parsed, bytes, depth: slice.depth }
  return { sentAt: null, context: undefined, events: [event] }
}

/** The write key that stands in the body. */
export const keyInBody = (parsed: unknown): string | undefined =>
  isFields(parsed) && typeof parsed['writeKey'] === 'string' && parsed['writeKey'] !== '' ? parsed['writeKey'] : undefined

const lengthOf = (value: unknown): number => {
  try {
    return JSON.stringify(value).length
  } catch {
    // Nested too deeply to be written.
    return Number.POSITIVE_INFINITY
  }
}
