import { type Fields, fieldsOf, isFields, type Millis, parseTime, ProblemError, refuse } from '@millrace/contracts'
import { sentData } from '../domain/sent-data.ts'
import type { SentEvent } from '../domain/sent-event.ts'
import { rewritten } from '../domain/sort-events.ts'
import type { Wire } from '../domain/wire.ts'

/** The events of a request. One with a token of its own other than the request's is refused. @throws ProblemError */
export const readSensorsEvents = (wire: Wire, eventsMax: number, token: string | undefined): readonly SentEvent[] => {
  if (wire.data() === undefined) throw new ProblemError('BATCH_MISSING', 'the request has neither data nor data_list')
  const sent = sentData(wire)
  if (sent.length > eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the batch has ${sent.length} events`)
  const key = token ?? tokenIn(sent)
  return sent.flatMap((event) => {
    if ((tokenOf(event) ?? key) !== key) return [{ ...event, refusal: refuse('WRITE_KEY_MIXED') }]
    return isFields(event.raw) && isBareSignup(event.raw) ? [event, rewritten(asDevice(event.raw))] : [event]
  })
}

/** When the request was sent: each event says it, and the last was sent last. */
export const sensorsClock = (events: readonly SentEvent[]): Millis | null => parseTime(fieldsOf(events.at(-1)?.raw)['_flush_time'])

/** The token that the first event with one names: the Python SDK can put it there. @throws ProblemError */
export const tokenInEvents = (wire: Wire): string | undefined => {
  const data = wire.data()
  return tokenIn((Array.isArray(data) ? (data as readonly unknown[]) : [data]).map((raw) => ({ raw })))
}

type Event = Pick<SentEvent, 'raw'>

const tokenIn = (events: readonly Event[]): string | undefined => {
  for (const event of events) {
    const token = tokenOf(event)
    if (token !== undefined) return token
  }
  return undefined
}

const tokenOf = ({ raw }: Event): string | undefined => {
  const token = fieldsOf(raw)['token']
  return typeof token === 'string' && token !== '' ? token : undefined
}

/**
 * SDKs of servers name a person by `distinct_id` alone, before and after the sign-up, and do not say which of the two it is;
 * the browser SDK behind its `trackSignup` calls the user's id anonymous.
 */
const isBareSignup = (raw: Fields): boolean =>
  raw['type'] === 'track_signup' && raw['login_id'] === undefined && fieldsOf(raw['identities'])['$identity_login_id'] === undefined && raw['original_id'] !== raw['distinct_id']

/** The same sign-up said of the id itself: what was or will be sent under it without a word is the user's. */
const asDevice = (raw: Fields): Fields => ({ ...raw, original_id: raw['distinct_id'], properties: {} })
