import { type Fields, isFields, ProblemError, refuse } from '@millrace/contracts'
import type { SentEvent } from '../domain/sent-event.ts'
import { rewritten } from '../domain/sort-events.ts'
import { parseJson } from '../domain/parse-json.ts'
import type { Wire } from '../domain/wire.ts'

/** The write key of the request, else of the first of many in one. @throws ProblemError */
export const countlyKey = (wire: Wire): string | undefined => {
  const parameters = parametersOf(wire)
  return keyIn(parameters) ?? requestsOf(parameters).map(keyIn).find((key) => key !== undefined)
}

/** Each part of each request, as one line with what the request says of all its parts. @throws ProblemError */
export const countlyLines = (wire: Wire): readonly SentEvent[] => {
  const key = countlyKey(wire)
  return requestsOf(parametersOf(wire)).flatMap((request) => {
    const lines = linesOf(request).map(rewritten)
    return (keyIn(request) ?? key) === key ? lines : lines.map((line) => ({ ...line, refusal: refuse('WRITE_KEY_MIXED') }))
  })
}

const parametersOf = (wire: Wire): Fields => ({ ...wire.query, ...wire.form() })

const keyIn = (request: unknown): string | undefined =>
  isFields(request) && typeof request['app_key'] === 'string' && request['app_key'] !== '' ? request['app_key'] : undefined

const requestsOf = (parameters: Fields): readonly unknown[] => {
  if (parameters['requests'] === undefined) return [parameters]
  const requests = jsonIn(parameters['requests'])
  if (!Array.isArray(requests)) throw new ProblemError('BATCH_MISSING', 'requests is no list')
  return requests
}

const SESSION = ['begin_session', 'session_duration', 'end_session'] as const
const PARTS = ['user_details', 'old_device_id', 'crash', 'apm', 'consent'] as const
const OWN = new Set<string>([...SESSION, ...PARTS, 'events', 'metrics', 'app_key', 'hc'])

const linesOf = (request: unknown): readonly unknown[] => {
  if (!isFields(request)) return [request]
  const common: Record<string, unknown> = Object.fromEntries(Object.entries(request).filter(([name]) => !OWN.has(name)))
  if (request['metrics'] !== undefined) common['metrics'] = jsonIn(request['metrics'])
  const session = Object.fromEntries(SESSION.flatMap((name) => (request[name] === undefined ? [] : [[name, request[name]]])))
  const lines = [
    ...(Object.keys(session).length > 0 ? [{ ...common, ...session }] : []),
    ...PARTS.flatMap((name) => (request[name] === undefined ? [] : [{ ...common, [name]: name === 'old_device_id' ? request[name] : jsonIn(request[name]) }])),
    // The place tells apart two equal events of one request.
    ...eventsIn(request).map((event, position) => (isFields(event) ? { ...common, event, position } : event)),
  ]
  // With `hc` the SDK tells how it fares itself: of no use here. Else the request tells of the device alone.
  return lines.length === 0 && request['hc'] === undefined ? [common] : lines
}

const eventsIn = (request: Fields): readonly unknown[] => {
  if (request['events'] === undefined || request['events'] === '') return []
  const events = jsonIn(request['events'])
  if (!Array.isArray(events)) throw new ProblemError('BATCH_MISSING', 'events is no list')
  return events
}

const jsonIn = (value: unknown): unknown => (typeof value === 'string' ? parseJson(value) : value)
