import { isEventType, isFields, normaliseId } from '@millrace/contracts'
import type { SentEvent } from '../domain/sent-event.ts'
import { withField } from '../domain/sort-events.ts'
import type { Wire } from '../domain/wire.ts'
import type { Protocol } from './protocol.ts'
import { SOURCE_CONFIG } from './rudderstack-docs.ts'
import { keyInRequest, segment } from './segment.ts'
import { BATCH } from './segment-docs.ts'

const BEACON = '/beacon/v1/batch'

/** RudderStack's SDKs: Segment's paths and bodies, with an anonymous id in a header and beacons of their own. */
export const rudderstack: Protocol = {
  ...segment,
  name: 'rudderstack',
  paths: [...segment.paths, { method: 'POST', url: BEACON, docs: BATCH }],
  recognise: (wire) => isOfRudder(wire),
  decode: (wire, asked) => {
    const sent = segment.decode(wire, asked)
    const anonymousId = idInHeader(wire.headers['anonymousid'])
    return anonymousId === null ? sent : { ...sent, events: sent.events.map((event) => withAnonymousId(event, anonymousId)) }
  },
  extras: [{
    method: 'GET', url: '/sourceConfig', docs: SOURCE_CONFIG,
    answer: async (wire, { checkKey }) => {
      const key = keyInRequest(wire)
      await checkKey(key)
      return { status: 200, headers: { 'cache-control': 'no-cache' }, body: JSON.stringify(sourceConfig(key ?? '')) }
    },
  }],
}

/** A server SDK writes its channel into each event, and keeps the key out of the body; its library may have the name of Segment's. */
const CHANNEL = /"channel": ?"server"/
const LIBRARY = /"library": ?\{[^{}]*[Rr]udder/
const EDGE_BYTES = 512

/**
 * Asked of each request on Segment's paths too, so it looks at headers and at the edges of the body only. Apps and pages name
 * their visitor in a header, on a retry also how it went so far; a page without that header is Segment's.
 */
const isOfRudder = ({ headers, body }: Wire): boolean => {
  if (headers['anonymousid'] !== undefined || headers['rsa-retry-attempt'] !== undefined) return true
  if (headers.origin !== undefined) return false
  const end = body.toString('latin1', Math.max(body.length - EDGE_BYTES, 0))
  return !end.includes('riteKey":') && (isSigned(end) || isSigned(body.toString('latin1', 0, EDGE_BYTES)))
}

/** A plain text that begins with a rare letter is found several times faster than a quote or a pattern. */
const isSigned = (edge: string): boolean => (edge.includes('hannel":') && CHANNEL.test(edge)) || (edge.includes('udder') && LIBRARY.test(edge))

/** An anonymous id as base64; null where it is none. */
const idInHeader = (header: string | readonly string[] | undefined): string | null => {
  if (typeof header !== 'string') return null
  const bytes = Buffer.from(header, 'base64')
  return bytes.toString('base64') === header ? normaliseId(bytes.toString('utf8')) : null
}

/** What names no type is refused, and kept as it came. */
const withAnonymousId = (event: SentEvent, anonymousId: string): SentEvent =>
  isFields(event.raw) && isEventType(event.raw['type']) && (event.raw['anonymousId'] ?? '') === ''
    ? { ...withField(event, 'anonymousId', anonymousId), scanned: event.scanned }
    : event

/** What the browser SDK asks before it sends anything: a source that is on, and no further destination. */
const sourceConfig = (writeKey: string): unknown => ({
  source: {
    id: writeKey, name: 'Millrace', writeKey, enabled: true, workspaceId: 'millrace', destinations: [],
    config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
  },
})
