import { fieldsOf, isFields, parseTime, ProblemError, refuse } from '@millrace/contracts'
import type { SentEvent } from '../domain/sent-event.ts'
import { rewritten, sentEvents } from '../domain/sort-events.ts'
import { splitBatch } from '../domain/split-batch.ts'
import { jsonFields, type Wire } from '../domain/wire.ts'
import { PIXEL } from './pixel.ts'
import type { Protocol } from './protocol.ts'
import { BEACON, SEND } from './snowplow-docs.ts'

/** Snowplow's tracker protocol: a list of events by POST, or one in the query of a picture. */
export const snowplow: Protocol = {
  name: 'snowplow',
  paths: [{ method: 'POST', url: '/com.snowplowanalytics.snowplow/tp2', docs: SEND }, { method: 'GET', url: '/i', docs: BEACON }],
  // Countly's SDKs use /i too, with an app_key.
  recognise: ({ path, query }) => path !== '/i' || (typeof query['e'] === 'string' && query['app_key'] === undefined),
  keyOf: (wire) => keyIn(eventsOf(wire)),
  decode: (wire, { eventsMax }) => {
    const sent = eventsOf(wire)
    if (sent.length > eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the batch has ${sent.length} events`)
    const events = wire.method === 'GET' ? sent.map(rewritten) : sentEvents(sent, wire.body, splitBatch(wire.body, 'data'))
    return { sentAt: null, clockAt: parseTime(fieldsOf(sent[0])['stm']), events: events.map(ofOneKey(keyIn(sent))) }
  },
  answer: ({ method }) =>
    method === 'GET'
      ? { status: 200, type: 'image/gif', headers: { 'cache-control': 'no-store' }, body: PIXEL }
      : { status: 200, type: 'text/plain', body: 'ok' },
  // A tracker sends again what is refused, but for a few codes; 400 is one.
  refuse: ({ status, code, message }) => ({ status: status === 413 ? 400 : status, type: 'text/plain', body: `${code}: ${message}` }),
}

const eventsOf = (wire: Wire): readonly unknown[] => {
  if (wire.method === 'GET') return [wire.query]
  const data = jsonFields(wire)['data']
  if (!Array.isArray(data)) throw new ProblemError('BATCH_MISSING', 'the body has no list named data')
  return data
}

const keyOfEvent = (event: unknown): string | undefined =>
  isFields(event) && typeof event['aid'] === 'string' && event['aid'] !== '' ? event['aid'] : undefined

const keyIn = (events: readonly unknown[]): string | undefined => {
  for (const event of events) {
    const key = keyOfEvent(event)
    if (key !== undefined) return key
  }
  return undefined
}

const ofOneKey = (key: string | undefined) => (event: SentEvent): SentEvent =>
  (keyOfEvent(event.raw) ?? key) === key ? event : { ...event, refusal: refuse('WRITE_KEY_MIXED') }
