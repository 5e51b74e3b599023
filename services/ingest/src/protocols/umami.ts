import { type Fields, fieldsOf, given, isFields, parseTime, ProblemError, refuse, type Refusal, textOf } from '@millrace/contracts'
import { withAdded } from '../domain/added.ts'
import { libraryContext } from '../domain/library.ts'
import type { SentEvent } from '../domain/sent-event.ts'
import { rewritten } from '../domain/sort-events.ts'
import { readVisit, signVisit, type Visit, visitOf } from '../domain/visit-token.ts'
import { visitorOf } from '../domain/visitor-id.ts'
import type { Wire } from '../domain/wire.ts'
import type { Answer, Asked, Protocol, Taken } from './protocol.ts'
import { parseSingle } from './segment-body.ts'
import { BATCH, SEND } from './umami-docs.ts'

const BATCH_PATH = '/api/batch'

/** Umami's collection API. It has no anonymous ids: who visits is told by a hash, and carried from event to event by a token of ours. */
export const umami: Protocol = {
  name: 'umami',
  paths: [{ method: 'POST', url: '/api/send', docs: SEND }, { method: 'POST', url: BATCH_PATH, docs: BATCH }],
  recognise: () => true,
  keyOf: (wire) => websiteOf(bodiesOf(wire)[0]),
  decode: (wire, asked) => ({ sentAt: null, context: contextOf(wire), events: eventsOf(wire, asked) }),
  answer: (wire, taken, asked) => (wire.path === BATCH_PATH ? answerBatch(wire, taken, asked) : answerSingle(wire, taken, asked)),
  refuse: (problem) => (problem.status === 401 ? { status: 200, body: '{}' } : { status: problem.status, body: JSON.stringify(faultOf(problem.status, problem)) }),
}

/** @throws ProblemError NOT_JSON, BATCH_MISSING */
const bodiesOf = (wire: Wire): readonly unknown[] => {
  const body = wire.json()
  if (wire.path !== BATCH_PATH) return [body]
  if (!Array.isArray(body)) throw new ProblemError('BATCH_MISSING', 'the body is no list')
  return body
}

const payloadOf = (body: unknown): Fields => fieldsOf(fieldsOf(body)['payload'])
const websiteOf = (body: unknown): string | undefined => textOf(payloadOf(body)['website'])

/** The SDK for Node calls itself so; the tracker in pages says nothing of itself. */
const contextOf = ({ headers }: Wire): Fields =>
  headers['user-agent']?.startsWith('Mozilla/5.0 Umami/') ? { library: { name: 'umami-node' } } : libraryContext('umami', headers)

const eventsOf = (wire: Wire, asked: Asked): readonly SentEvent[] => {
  const bodies = bodiesOf(wire)
  if (bodies.length > asked.eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the batch has ${bodies.length} events`)
  const website = websiteOf(bodies[0])
  return bodies.map((body) => {
    const { visitor, visit } = visitIn(wire, asked, body)
    const event = withAdded(wire.path === BATCH_PATH ? rewritten(body) : parseSingle(wire), { anonymousId: visitor, ...(visit ? { sessionId: visit } : {}) })
    return websiteOf(body) === website || !isFields(body) ? event : { ...event, refusal: refuse('WRITE_KEY_MIXED') }
  })
}

/** As the token of the page tells it; else, and for what a server brings in later, by address and user agent. */
const visitIn = (wire: Wire, { project, receivedAt }: Asked, body: unknown): Visit => {
  const payload = payloadOf(body)
  const site = websiteOf(body) ?? ''
  const at = parseTime(given(payload['timestamp'])) ?? receivedAt
  const carried = at === receivedAt ? readVisit(project, site, textOf(wire.headers['x-umami-cache']), at) : null
  if (carried) return carried
  const visitor = visitorOf(wire, project, 'month', at, site, { ip: textOf(payload['ip']), userAgent: textOf(payload['userAgent']) })
  return visitor === '' ? { visitor, visit: '' } : visitOf(project, visitor, at)
}

const visitAnswer = (wire: Wire, asked: Asked, body: unknown): { cache: string; sessionId: string; visitId: string } => {
  const visit = visitIn(wire, asked, body)
  const cache = visit.visitor === '' ? '' : signVisit(asked.project, websiteOf(body) ?? '', visit, asked.receivedAt)
  return { cache, sessionId: visit.visitor, visitId: visit.visit }
}

const answerSingle = (wire: Wire, { rejected: [refused] }: Taken, asked: Asked): Answer =>
  refused ? { status: 400, body: JSON.stringify(faultOf(400, refused.refusal)) } : { status: 200, body: JSON.stringify(visitAnswer(wire, asked, wire.json())) }

const answerBatch = (wire: Wire, { rejected }: Taken, asked: Asked): Answer => {
  const bodies = bodiesOf(wire)
  const details = rejected.map(({ index, refusal }) => ({ index, response: faultOf(400, refusal) }))
  const cache = bodies.length === 0 ? '' : visitAnswer(wire, asked, bodies[0]).cache
  return { status: 200, body: JSON.stringify({ size: bodies.length, processed: bodies.length - details.length, errors: details.length, details, cache }) }
}

const faultOf = (status: number, fault: ProblemError | Refusal): object =>
  ({ error: { message: fault instanceof ProblemError ? fault.message : fault.detail, code: fault.code, status } })
