import { type Fields, fieldsOf, isFields, ProblemError, textOf } from '@millrace/contracts'
import { libraryContext } from '../domain/library.ts'
import type { SentEvent } from '../domain/sent-event.ts'
import { rewritten } from '../domain/sort-events.ts'
import { jsonFields, type Wire } from '../domain/wire.ts'
import { COLLECT, DEBUG } from './ga4-docs.ts'
import { validate } from './ga4-validation.ts'
import type { Protocol } from './protocol.ts'

/** Google Analytics' Measurement Protocol, version 4. */
export const ga4: Protocol = {
  name: 'ga4',
  paths: [{ method: 'POST', url: '/mp/collect', docs: COLLECT }],
  recognise: () => true,
  keyOf: (wire) => keysOf(wire),
  decode: (wire, { eventsMax }) => ({ sentAt: null, context: libraryContext('ga4', wire.headers), events: eventsOf(jsonFields(wire), eventsMax) }),
  answer: () => DONE,
  // Its senders look at nothing else than whether it was answered; what was not kept for want of room may come again.
  refuse: ({ status }) => (status < 500 && status !== 429 ? DONE : null),
  extras: [{
    method: 'POST', url: '/debug/mp/collect', docs: DEBUG,
    answer: async (wire, { checkKey }) => {
      const keyProblem = await checkKey(keysOf(wire)).then(() => null, (error: unknown) => {
        if (error instanceof ProblemError) return error
        throw error
      })
      return { status: 200, body: JSON.stringify({ validationMessages: validate(wire, keyProblem) }) }
    },
  }],
}

const DONE = { status: 204, body: '' }

const keysOf = ({ query }: Wire): readonly string[] =>
  ['measurement_id', 'firebase_app_id', 'api_secret'].map((name) => textOf(query[name])).filter((key) => key !== undefined)

/** A line is the body with one event alone; a body without events but with user properties is a line, too. */
const eventsOf = (body: Fields, eventsMax: number): readonly SentEvent[] => {
  const events: unknown = body['events'] ?? []
  if (!Array.isArray(events)) throw new ProblemError('BATCH_MISSING', 'the body has no list named events')
  if (events.length > eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the body has ${events.length} events`)
  if (events.length === 0) {
    if (Object.keys(fieldsOf(body['user_properties'])).length === 0) throw new ProblemError('BATCH_MISSING', 'the body has neither events nor user properties')
    return [rewritten(body)]
  }
  return (events as readonly unknown[]).map((event, index) => rewritten(isFields(event) ? { ...body, events: [event], event_index: index } : event))
}
