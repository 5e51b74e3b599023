import { type Fields, fieldsOf, given, parseTime, ProblemError, refuse, scalarNumber, scalarText, textOf } from '@millrace/contracts'
import type { SentEvent } from '../domain/sent-event.ts'
import { rewritten } from '../domain/sort-events.ts'
import { visitorOf } from '../domain/visitor-id.ts'
import { jsonFields, type Wire } from '../domain/wire.ts'
import type { Asked } from './protocol.ts'

/** One tracking request: names and texts. */
type Parameters = Readonly<Record<string, unknown>>

const TIME_BACK_MS_MAX = 86_400_000

/** Several requests come as JSON, one as a query, a form, or both. */
export const isBulk = ({ body }: Wire): boolean => /^\s*\{/.test(body.toString('latin1', 0, 64))

/** @throws ProblemError NOT_JSON, BATCH_MISSING */
export const requestsOf = (wire: Wire): readonly Parameters[] => {
  if (!isBulk(wire)) {
    const parameters = { ...fieldsOf(wire.query), ...wire.form() }
    if (Object.keys(parameters).length === 0) throw new ProblemError('BATCH_MISSING', 'the request has no parameters')
    return [parameters]
  }
  const { requests, token_auth: token } = jsonFields(wire)
  if (!Array.isArray(requests)) throw new ProblemError('BATCH_MISSING', 'the body has no list named requests')
  const shared = token === undefined ? {} : { token_auth: token }
  return (requests as readonly unknown[]).map((request) => ({ ...shared, ...parametersOf(request) }))
}

/** An address, or what follows its question mark; or the parameters as an object. */
const parametersOf = (request: unknown): Parameters => {
  if (typeof request !== 'string') return fieldsOf(request)
  return Object.fromEntries(new URLSearchParams(request.slice(request.indexOf('?') + 1)))
}

/** The sign of life of an open page tells of nothing that was done. */
const isPing = (request: Parameters): boolean => scalarText(request['ping']) === '1'

/** Each request as a line, without what only proves its sender. */
export const linesOf = (requests: readonly Parameters[], wire: Wire, asked: Asked): readonly SentEvent[] => {
  const key = scalarText(requests[0]?.['idsite'])
  return requests.filter((request) => !isPing(request)).map((request) => {
    const isTrusted = asked.isServer || (given(request['token_auth']) !== undefined && scalarText(request['token_auth']) === key)
    const event = rewritten(lineOf(request, isTrusted, wire, asked))
    if (scalarText(request['idsite']) !== key) return { ...event, refusal: refuse('WRITE_KEY_MIXED') }
    return !isTrusted && isLongAgo(timeOf(request, asked), asked) ? { ...event, refusal: refuse('TIME_NOT_TRUSTED', 'cdt is more than a day back, and token_auth is not the write key') } : event
  })
}

/** A sender that does not prove itself cannot say from where somebody else called. */
const lineOf = (request: Parameters, isTrusted: boolean, wire: Wire, asked: Asked): Fields => {
  const { token_auth: _, cdo: __, cip, ...line } = request
  const time = timeOf(request, asked)
  const hasId = given(request['cid']) !== undefined || given(request['_id']) !== undefined
  const told = { ip: isTrusted ? textOf(cip) : undefined, userAgent: textOf(request['ua']) }
  return {
    ...line,
    ...(isTrusted && given(cip) !== undefined ? { cip } : {}),
    ...(time === undefined ? {} : { cdt: time }),
    ...(hasId ? {} : { anonymousId: visitorOf(wire, asked.project, 'day', asked.receivedAt, scalarText(request['idsite']), told) }),
  }
}

/** `cdo` is how many seconds ago it was, before `cdt` where that is there, else before now. */
const timeOf = (request: Parameters, { receivedAt }: Asked): unknown => {
  const ago = Math.abs(scalarNumber(request['cdo']))
  if (!(ago > 0)) return given(request['cdt'])
  const from = given(request['cdt']) === undefined ? receivedAt : parseTime(request['cdt'])
  return from === null ? request['cdt'] : Math.round(from - ago * 1_000)
}

const isLongAgo = (time: unknown, { receivedAt }: Asked): boolean => {
  const at = time === undefined ? null : parseTime(time)
  return at !== null && receivedAt - at > TIME_BACK_MS_MAX
}
