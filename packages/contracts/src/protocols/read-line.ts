import { type Fields, isFields } from '../fields.ts'
import { readAmplitude } from './amplitude.ts'
import { readMixpanel } from './mixpanel.ts'
import { readPosthog } from './posthog.ts'
import type { ProtocolName } from './protocol-name.ts'

/**
 * One line of a protocol, read as an event of Segment's shape: type, event, userId, anonymousId, previousId, groupId,
 * messageId, timestamp, originalTimestamp, sentAt, properties, traits, traitOps, context. Pure: the line is kept as it was
 * sent, so a mapping can be repaired and the log replayed.
 */
export type ProtocolReader = (raw: Fields) => Fields

const READERS: Readonly<Partial<Record<ProtocolName, ProtocolReader>>> = {
  posthog: readPosthog,
  mixpanel: readMixpanel,
  amplitude: readAmplitude,
}

/** What is no object, and what a protocol without a reader sends, goes on as it is: the checks at the door name the fault. */
export const readLine = (protocol: string, raw: unknown): unknown => {
  const read = Object.hasOwn(READERS, protocol) ? READERS[protocol as ProtocolName] : undefined
  if (!read || !isFields(raw)) return raw
  const event = read(raw)
  // Ingest adds these where an event has no id of its own.
  return { ...event, messageId: event['messageId'] ?? raw['messageId'], anonymousId: event['anonymousId'] ?? raw['anonymousId'] }
}
