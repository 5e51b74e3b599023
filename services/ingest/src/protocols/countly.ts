import { ProblemError } from '@millrace/contracts'
import type { Wire } from '../domain/wire.ts'
import { ANSWERS, BULK, GET_BULK, SEND } from './countly-docs.ts'
import { countlyKey, countlyLines } from './countly-lines.ts'
import type { Answer, Extra, Protocol } from './protocol.ts'
import { BEACON } from './snowplow-docs.ts'

const SUCCESS: Answer = { status: 200, body: '{"result":"Success"}' }

/** The protocol of Countly's SDKs: parameters in a form or in the query, with JSON in some of them. */
export const countly: Protocol = {
  name: 'countly',
  paths: [
    { method: 'POST', url: '/i', docs: SEND }, { method: 'GET', url: '/i', docs: BEACON },
    { method: 'POST', url: '/i/bulk', docs: BULK }, { method: 'GET', url: '/i/bulk', docs: GET_BULK },
  ],
  recognise: () => true,
  keyOf: countlyKey,
  decode: (wire, { eventsMax }) => {
    const events = countlyLines(wire)
    if (events.length > eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the request has ${events.length} events`)
    return { sentAt: null, events }
  },
  answer: () => SUCCESS,
  refuse: ({ status, code, message }) => {
    // The SDK sends the first request of its queue again until it is taken: one that nobody can read would stop all behind it.
    if (status !== 401 && status !== 429 && status < 500) return SUCCESS
    return { status, body: JSON.stringify({ result: status === 401 ? 'App does not exist' : `${code}: ${message}` }) }
  },
  extras: (['GET', 'POST'] as const).map((method): Extra => ({ method, url: '/o/sdk', docs: ANSWERS, answer: (wire) => ({ status: 200, body: nothingFor(wire) }) })),
}

/** What the SDK asks for beside sending: no settings of ours, no remote configuration, no surveys. */
const nothingFor = (wire: Wire): string => ((wire.query['method'] ?? wire.form()['method']) === 'feedback' ? '{"result":[]}' : '{}')
