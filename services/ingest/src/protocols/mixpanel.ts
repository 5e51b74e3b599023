import { parseTime, ProblemError, textOf } from '@millrace/contracts'
import { basicUserOf } from '@millrace/service-kit'
import type { Wire } from '../domain/wire.ts'
import { IMPORT, TRACK, TRACK_GET } from './mixpanel-docs.ts'
import { keyInLines, sentLines } from './mixpanel-lines.ts'
import { PIXEL } from './pixel.ts'
import type { Answer, Path, Protocol, Taken } from './protocol.ts'

const PATHS = ['/track', '/engage', '/groups']

const paths: readonly Path[] = [
  ...PATHS.map((url) => ({ method: 'POST', url, docs: TRACK }) as const),
  ...PATHS.map((url) => ({ method: 'GET', url, docs: TRACK_GET }) as const),
  { method: 'POST', url: '/import', docs: IMPORT },
  // The SDK for Node imports a single event so.
  { method: 'GET', url: '/import', docs: TRACK_GET },
]

/** Mixpanel's ingestion API, as its SDKs for browsers, Node and Python use it. */
export const mixpanel: Protocol = {
  name: 'mixpanel',
  paths,
  // OpenPanel's SDKs use the same path.
  recognise: ({ headers }) => headers['openpanel-client-id'] === undefined,
  keyOf: (wire) => [keyInLines(wire), ...keysBeside(wire)].filter((key) => key !== undefined),
  decode: (wire, { eventsMax, receivedAt }) => {
    const events = sentLines(wire, receivedAt)
    if (events.length > eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the batch has ${events.length} events`)
    return { sentAt: parseTime(wire.query['_']), events }
  },
  answer: (wire, taken) => {
    if (isAsked(wire, 'strict')) return answerStrict(taken)
    return isAsked(wire, 'img') ? { status: 200, type: 'image/gif', body: PIXEL } : told(wire, 200, 1, null)
  },
  refuse: (problem, wire) => (isAsked(wire, 'strict')
    ? { status: problem.status, body: JSON.stringify({ code: problem.status, error: problem.message, status: problem.code }) }
    : told(wire, problem.status, 0, `${problem.code}: ${problem.message}`)),
}

/** An import may name its key beside its events. */
const keysBeside = (wire: Wire): readonly (string | undefined)[] =>
  [basicUserOf(wire.headers.authorization), textOf(parameter(wire, 'api_key')), textOf(parameter(wire, 'token'))]

/** Of the query, else of the form: the SDK for Python asks for verbose answers there. */
const parameter = (wire: Wire, name: string): unknown => wire.query[name] ?? wire.form()[name]

const isAsked = (wire: Wire, name: string): boolean => ['1', 'true'].includes(String(parameter(wire, name)))

const told = (wire: Wire, status: number, done: 0 | 1, error: string | null): Answer =>
  ({ status, body: isAsked(wire, 'verbose') ? JSON.stringify({ status: done, error }) : String(done) })

const answerStrict = ({ accepted, rejected }: Taken): Answer => ({
  status: 200,
  body: JSON.stringify({
    code: 200, num_records_imported: accepted, status: 'OK',
    ...(rejected.length > 0 ? { failed_records: rejected.map(({ index, refusal }) => ({ index, field: refusal.code, message: refusal.detail })) } : {}),
  }),
})
