import { type Fields, fieldsOf, given, ProblemError, textOf } from '@millrace/contracts'
import { withAdded } from '../domain/added.ts'
import type { SentEvent } from '../domain/sent-event.ts'
import { rewritten } from '../domain/sort-events.ts'
import { visitOf } from '../domain/visit-token.ts'
import { visitorOf } from '../domain/visitor-id.ts'
import { jsonFields, type Wire } from '../domain/wire.ts'
import { TRACK } from './openpanel-docs.ts'
import type { Asked, Protocol } from './protocol.ts'
import { parseSingle } from './segment-body.ts'

/** OpenPanel's tracking API. It has no anonymous ids: who visits is told by a hash of the day, which the answer calls the device. */
export const openpanel: Protocol = {
  name: 'openpanel',
  paths: [{ method: 'POST', url: '/track', docs: TRACK }],
  // Mixpanel's SDKs use the same path.
  recognise: ({ headers }) => headers['openpanel-client-id'] !== undefined,
  keyOf: ({ headers }) => textOf(headers['openpanel-client-id']),
  decode: (wire, asked) => ({ sentAt: null, context: libraryOf(wire), events: eventsOf(wire, asked) }),
  answer: (wire, { rejected: [refused] }, asked) => {
    const deviceId = visitor(wire, asked)
    const sessionId = deviceId === '' ? '' : visitOf(asked.project, deviceId, asked.receivedAt).visit
    // Its SDKs send again on any status but 200, 202 and 401: what is refused would be refused again.
    if (refused) return { status: 202, body: JSON.stringify({ deviceId, sessionId, code: refused.refusal.code, message: refused.refusal.detail }) }
    return { status: 200, body: JSON.stringify({ deviceId, sessionId }) }
  },
  refuse: ({ status, code, message }) => ({ status, body: JSON.stringify({ status, error: code, message }) }),
}

const visitor = (wire: Wire, { project, receivedAt }: Asked): string =>
  visitorOf(wire, project, 'day', receivedAt, String(wire.headers['openpanel-client-id']), { ip: textOf(wire.headers['x-client-ip']) })

const libraryOf = ({ headers }: Wire): Fields => {
  const name = textOf(headers['openpanel-sdk-name'])
  const version = textOf(headers['openpanel-sdk-version'])
  return { library: { name: name === undefined ? 'openpanel' : `openpanel-${name}`, ...(version === undefined ? {} : { version }) } }
}

const eventsOf = (wire: Wire, asked: Asked): readonly SentEvent[] => {
  const body = wire.json()
  const { type, payload } = jsonFields(wire)
  // A recording of the screen is no event: taken, not kept.
  if (type === 'replay') return []
  const lines = type === 'assign_group' ? ofEachGroup(fieldsOf(body), fieldsOf(payload), asked.eventsMax) : [parseSingle(wire)]
  const anonymousId = visitor(wire, asked)
  const isKnown = given(fieldsOf(payload)['profileId']) !== undefined
  return lines.map((line) => (anonymousId === '' && isKnown ? line : withAdded(line, { anonymousId })))
}

/** One line for each group that somebody is put into. */
const ofEachGroup = (body: Fields, payload: Fields, eventsMax: number): readonly SentEvent[] => {
  const { groupIds } = payload
  if (!Array.isArray(groupIds) || groupIds.length === 0) return [rewritten(body)]
  if (groupIds.length > eventsMax) throw new ProblemError('BATCH_TOO_LONG', `${groupIds.length} groups`)
  return (groupIds as readonly unknown[]).map((id) => rewritten({ ...body, payload: { ...payload, groupIds: [id] } }))
}
