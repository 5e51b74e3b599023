import { type Fields, isFields, parseTime, ProblemError } from '@millrace/contracts'
import { parseParameter } from '../domain/payload.ts'
import type { SentEvent } from '../domain/sent-event.ts'
import { rewritten, sentEvents } from '../domain/sort-events.ts'
import { splitBatch } from '../domain/split-batch.ts'
import { isPlainJson, jsonFields, type Wire } from '../domain/wire.ts'
import { FORM, HTTP_API } from './amplitude-docs.ts'
import type { Path, Protocol } from './protocol.ts'

const FORM_PATH = '/httpapi'

const paths: readonly Path[] = [
  { method: 'POST', url: '/2/httpapi', docs: HTTP_API },
  { method: 'POST', url: '/batch', docs: HTTP_API },
  { method: 'POST', url: FORM_PATH, docs: FORM },
]

/** Amplitude's HTTP API, version 2 and its batches, as its SDKs use it; and the older form with `event` in it. */
export const amplitude: Protocol = {
  name: 'amplitude',
  paths,
  // PostHog's SDKs use the path of batches too, and are asked first.
  recognise: () => true,
  keyOf: (wire) => {
    const { api_key } = isForm(wire) ? wire.form() : jsonFields(wire)
    return typeof api_key === 'string' && api_key !== '' ? api_key : undefined
  },
  decode: (wire, { eventsMax }) => {
    const events = isForm(wire) ? eventsOfForm(wire) : eventsOf(jsonFields(wire), wire.body)
    if (events.length > eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the batch has ${events.length} events`)
    return { sentAt: isForm(wire) ? null : parseTime(jsonFields(wire)['client_upload_time']), events }
  },
  answer: (wire, { accepted }, { receivedAt }) =>
    ({ status: 200, body: JSON.stringify({ code: 200, events_ingested: accepted, payload_size_bytes: wire.body.length, server_upload_time: receivedAt }) }),
  refuse: (problem, wire) => ({ status: problem.status, body: JSON.stringify(refused(problem, wire)) }),
}

const isForm = (wire: Wire): boolean => wire.path === FORM_PATH && !isPlainJson(wire.body)

const eventsOf = ({ events }: Fields, bytes: Buffer): readonly SentEvent[] => {
  if (!Array.isArray(events)) throw new ProblemError('BATCH_MISSING', 'the body has no list named events')
  return sentEvents(events as readonly unknown[], bytes, splitBatch(bytes, 'events'))
}

const eventsOfForm = (wire: Wire): readonly SentEvent[] => {
  const event = parseParameter(wire.form()['event'] ?? '')
  if (!Array.isArray(event) && !isFields(event)) throw new ProblemError('BATCH_MISSING', 'the form has no event')
  return (Array.isArray(event) ? (event as readonly unknown[]) : [event]).map(rewritten)
}

/**
 * SDKs take a fault of the whole request by `missing_field`, or by how `error` begins; without either they send the
 * events again and again. Those that `throttled_events` names wait for half a minute, others come at once and are soon given up.
 */
const refused = ({ status, code, message }: ProblemError, wire: Wire): Fields => {
  if (status === 401) return { code: status, error: `Invalid API key: ${message}`, missing_field: null }
  const fault = { code: status, error: `${code}: ${message}` }
  if (status === 429) return { ...fault, throttled_events: placesIn(wire) }
  return status === 400 || status === 403 ? { ...fault, missing_field: code === 'BATCH_MISSING' ? 'events' : code } : fault
}

/** None of a form, nor where there was no room to read the body. */
const placesIn = (wire: Wire): readonly number[] => {
  const { events } = isForm(wire) || wire.body.length === 0 ? {} : jsonFields(wire)
  return Array.isArray(events) ? [...events.keys()] : []
}
