import { type EventType, textOf } from '@millrace/contracts'
import type { Wire } from '../domain/wire.ts'
import type { Protocol } from './protocol.ts'
import { refusedSingle } from './segment-answer.ts'
import { keyInBody, readSingle } from './segment-body.ts'
import { singleDocs } from './segment-docs.ts'
import { keyInRequest } from './segment.ts'

const TYPES: readonly EventType[] = ['page', 'screen', 'track', 'identify', 'group', 'alias']
/** From a page, and from server to server. */
const PATHS: ReadonlyMap<string, EventType> = new Map(TYPES.flatMap((type) => [[`/api/s/${type}`, type], [`/api/s/s2s/${type}`, type]] as const))

/** Jitsu's SDK: one event of Segment's shape a request. */
export const jitsu: Protocol = {
  name: 'jitsu',
  paths: [...PATHS].map(([url, type]) => ({ method: 'POST', url, docs: singleDocs(type) }) as const),
  recognise: () => true,
  keyOf: (wire) => idOf(textOf(wire.headers['x-write-key']) ?? keyInRequest(wire) ?? plainKeyIn(wire)),
  decode: (wire) => readSingle(wire, PATHS.get(wire.path) ?? 'track'),
  answer: (wire, taken) => refusedSingle(wire, taken) ?? { status: 200, body: '{"ok":true}' },
  refuse: () => null,
}

/** The SDK writes its key as `id:secret`; an id without a secret is a key too. */
const idOf = (key: string | undefined): string | undefined => (key === undefined ? undefined : key.split(':', 1)[0] || key)

/** In the body the SDK hides its key: `***`, `id:***`. */
const plainKeyIn = (wire: Wire): string | undefined => {
  const key = keyInBody(wire)
  return key?.endsWith('***') ? undefined : key
}
