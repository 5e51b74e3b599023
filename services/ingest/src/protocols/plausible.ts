import { fieldsOf, textOf } from '@millrace/contracts'
import { withAdded } from '../domain/added.ts'
import { libraryContext } from '../domain/library.ts'
import { visitorOf } from '../domain/visitor-id.ts'
import { jsonFields, type Wire } from '../domain/wire.ts'
import { EVENT } from './plausible-docs.ts'
import type { Protocol } from './protocol.ts'
import { parseSingle } from './segment-body.ts'

/** Plausible's events API. It has neither anonymous nor user ids: who visits is told by a hash of the day. */
export const plausible: Protocol = {
  name: 'plausible',
  paths: [{ method: 'POST', url: '/api/event', docs: EVENT }],
  recognise: () => true,
  keyOf: (wire) => domainsOf(wire),
  decode: (wire, { project, receivedAt }) => {
    const anonymousId = visitorOf(wire, project, 'day', receivedAt, domainsOf(wire)[0] ?? '')
    return { sentAt: null, context: libraryContext('plausible', wire.headers), events: [withAdded(parseSingle(wire), { anonymousId })] }
  },
  answer: (_wire, { rejected: [refused] }) =>
    (refused ? { status: 400, body: JSON.stringify({ errors: { event: [refused.refusal.detail] } }) } : { status: 202, type: 'text/plain', body: 'ok' }),
  refuse: ({ status, message }) => ({ status, body: JSON.stringify({ errors: { request: [message] } }) }),
}

/** The site, or several with commas between, or the host of the page: the first that is a write key counts. */
const domainsOf = (wire: Wire): readonly string[] => {
  const body = jsonFields(wire)
  const named = textOf(body['d']) ?? textOf(body['domain'])
  if (named !== undefined) return named.split(',').map((domain) => domain.trim()).filter((domain) => domain !== '')
  const url = textOf(fieldsOf(body)['u']) ?? textOf(body['url'])
  return url !== undefined && URL.canParse(url) ? [new URL(url).hostname] : []
}
