import { type Fields, fieldsOf, isFields, type Millis, parseTime, ProblemError, refuse } from '@millrace/contracts'
import { parseParameter } from '../domain/payload.ts'
import { rewritten, type SentEvent } from '../domain/sort-events.ts'
import type { Wire } from '../domain/wire.ts'

/** The events of a request. One with a token of its own other than the request's is refused. @throws ProblemError */
export const readSensorsEvents = (wire: Wire, eventsMax: number, token: string | undefined): readonly SentEvent[] => {
  const sent = listOf(wire)
  if (sent.length > eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the batch has ${sent.length} events`)
  const key = token ?? tokenIn(sent)
  return sent.flatMap((raw) => {
    const event = rewritten(raw)
    const own = isFields(raw) ? raw['token'] : undefined
    if (typeof own === 'string' && own !== '' && own !== key) return [{ ...event, refusal: refuse('WRITE_KEY_MIXED') }]
    return isFields(raw) && isBareSignup(raw) ? [event, rewritten(asDevice(raw))] : [event]
  })
}

/** When the request was sent: each event says it, and the last was sent last. */
export const sensorsClock = (events: readonly SentEvent[]): Millis | null => parseTime(fieldsOf(events.at(-1)?.raw)['_flush_time'])

/** The token that the first event with one names: the Python SDK can put it there. @throws ProblemError */
export const tokenInEvents = (wire: Wire): string | undefined => tokenIn(listOf(wire))

const tokenIn = (sent: readonly unknown[]): string | undefined => {
  for (const event of sent) if (isFields(event) && typeof event['token'] === 'string' && event['token'] !== '') return event['token']
  return undefined
}

/** SDKs of servers name a person by `distinct_id` alone, before and after the sign-up, and do not say which of the two it is. */
const isBareSignup = (raw: Fields): boolean =>
  raw['type'] === 'track_signup' && raw['login_id'] === undefined && raw['identities'] === undefined && raw['original_id'] !== raw['distinct_id']

/** The same sign-up said of the id itself: what was or will be sent under it without a word is the user's. */
const asDevice = (raw: Fields): Fields => ({ ...raw, original_id: raw['distinct_id'], properties: {} })

/** Longest inflated text of one parameter; the whole body is bounded apart. */
const INFLATED_BYTES_MAX = 20 << 20

const listOf = (wire: Wire): readonly unknown[] => {
  const parsed = parseParameter(parameterOf(wire), INFLATED_BYTES_MAX)
  return Array.isArray(parsed) ? parsed : [parsed]
}

const parameterOf = (wire: Wire): string => {
  const fields: Fields = wire.method === 'GET' ? wire.query : wire.form()
  const given = fields['data_list'] ?? fields['data']
  if (typeof given === 'string') return given
  if (wire.method === 'GET') throw new ProblemError('BATCH_MISSING', 'the query has neither data nor data_list')
  return wire.body.toString('utf8')
}
