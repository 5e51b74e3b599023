import type { EventType } from '@millrace/contracts'
import { basicUserOf } from '@millrace/service-kit'
import type { Wire } from '../domain/wire.ts'
import type { Path, Protocol } from './protocol.ts'
import { answerBatch, refusedSingle } from './segment-answer.ts'
import { keyInBody, readBatch, readSingle } from './segment-body.ts'
import { BATCH, OWN_FIGURES, SETTINGS, singleDocs } from './segment-docs.ts'
import { segmentSettings } from './segment-settings.ts'

const BATCH_PATHS = ['/v1/batch', '/v1/import', '/v1/b']
const SINGLE_PATHS: ReadonlyMap<string, EventType> = new Map([
  ['/v1/track', 'track'], ['/v1/t', 'track'], ['/v1/page', 'page'], ['/v1/p', 'page'], ['/v1/screen', 'screen'], ['/v1/s', 'screen'],
  ['/v1/identify', 'identify'], ['/v1/i', 'identify'], ['/v1/group', 'group'], ['/v1/g', 'group'], ['/v1/alias', 'alias'], ['/v1/a', 'alias'],
])

const paths: readonly Path[] = [
  ...BATCH_PATHS.map((url) => ({ method: 'POST', url, docs: BATCH }) as const),
  ...[...SINGLE_PATHS].map(([url, type]) => ({ method: 'POST', url, docs: singleDocs(type) }) as const),
]

/** Segment's HTTP tracking API, as its public SDKs use it. */
export const segment: Protocol = {
  name: 'segment',
  paths,
  recognise: () => true,
  keyOf: (wire) => keyInRequest(wire) ?? keyInBody(wire),
  decode: (wire, { eventsMax }) => {
    const type = SINGLE_PATHS.get(wire.path)
    return type === undefined ? readBatch(wire, eventsMax) : readSingle(wire, type)
  },
  answer: (wire, taken) => (SINGLE_PATHS.has(wire.path) ? refusedSingle(wire, taken) : undefined) ?? answerBatch(taken),
  refuse: () => null,
  extras: [
    // The SDK's own figures about itself: taken, and of no use here.
    { method: 'POST', url: '/v1/m', docs: OWN_FIGURES, answer: () => ({ status: 200, body: '{"success":true}' }) },
    {
      method: 'GET', url: '/v1/projects/:key/settings', docs: SETTINGS,
      answer: async (_wire, { params, address, checkKey }) => {
        await checkKey(params['key'])
        return { status: 200, headers: { 'cache-control': 'no-cache' }, body: JSON.stringify(segmentSettings(params['key'] ?? '', address)) }
      },
    },
  ],
}

/** The write key is the user of HTTP Basic, else in the query. */
export const keyInRequest = (wire: Wire): string | undefined => {
  const inQuery = wire.query['writeKey']
  return basicUserOf(wire.headers.authorization) ?? (typeof inQuery === 'string' && inQuery !== '' ? inQuery : undefined)
}
