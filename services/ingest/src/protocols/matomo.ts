import { fieldsOf, ProblemError, textOf } from '@millrace/contracts'
import { libraryContext } from '../domain/library.ts'
import type { Wire } from '../domain/wire.ts'
import { GET, POST } from './matomo-docs.ts'
import { isBulk, linesOf, requestsOf } from './matomo-requests.ts'
import { PIXEL } from './pixel.ts'
import type { Answer, Path, Protocol, Taken } from './protocol.ts'

const paths: readonly Path[] = ['/matomo.php', '/piwik.php'].flatMap((url) => [{ method: 'GET', url, docs: GET } as const, { method: 'POST', url, docs: POST } as const])

/** Matomo's tracking HTTP API. */
export const matomo: Protocol = {
  name: 'matomo',
  paths,
  recognise: () => true,
  keyOf: (wire) => {
    const site: unknown = requestsOf(wire)[0]?.['idsite']
    return typeof site === 'number' ? String(site) : textOf(site)
  },
  decode: (wire, asked) => {
    const requests = requestsOf(wire)
    if (requests.length > asked.eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the body has ${requests.length} requests`)
    return { sentAt: null, context: libraryContext('matomo', wire.headers), events: linesOf(requests, wire, asked) }
  },
  answer: (wire, taken) => (isBulk(wire) ? answerBulk(wire, taken) : answerSingle(wire, taken)),
  refuse: ({ status, message }, wire) => (isBulk(wire) ? told(status, { status: 'error', tracked: 0, invalid: 0, message }) : told(status, { status: 'error', message })),
}

const told = (status: number, body: object): Answer => ({ status, body: JSON.stringify(body) })

const answerBulk = (wire: Wire, { rejected }: Taken): Answer =>
  told(200, { status: 'success', tracked: requestsOf(wire).length - rejected.length, invalid: rejected.length })

const answerSingle = (wire: Wire, { rejected: [refused] }: Taken): Answer => {
  if (refused) return told(400, { status: 'error', message: refused.refusal.detail })
  const sendImage = fieldsOf(wire.query)['send_image'] ?? wire.form()['send_image']
  return sendImage === '0' ? { status: 204, body: '' } : { status: 200, type: 'image/gif', headers: { 'cache-control': 'no-store' }, body: PIXEL }
}
