import { type Fields, isFields } from '../fields.ts'
import { readAmplitude } from './amplitude.ts'
import { readCountly } from './countly.ts'
import { readGa4 } from './ga4.ts'
import { readJitsu } from './jitsu.ts'
import { readMatomo } from './matomo.ts'
import { readMixpanel } from './mixpanel.ts'
import { readOpenpanel } from './openpanel.ts'
import { readPlausible } from './plausible.ts'
import { readPosthog } from './posthog.ts'
import type { ProtocolName } from './protocol-name.ts'
import { readRudderstack } from './rudderstack.ts'
import { readSensors } from './sensors.ts'
import { readSnowplow } from './snowplow.ts'
import { readUmami } from './umami.ts'

/**
 * One line of a protocol, read as an event of Segment's shape: type, event, userId, anonymousId, previousId, groupId,
 * messageId, timestamp, originalTimestamp, sentAt, properties, traits, traitOps, context. Pure: the line is kept as it was
 * sent, so a mapping can be repaired and the log replayed.
 */
export type ProtocolReader = (raw: Fields) => Fields

/** What Segment's SDKs send has that shape already. */
const READERS: Readonly<Record<Exclude<ProtocolName, 'segment'>, ProtocolReader>> = {
  amplitude: readAmplitude,
  countly: readCountly,
  ga4: readGa4,
  jitsu: readJitsu,
  matomo: readMatomo,
  mixpanel: readMixpanel,
  openpanel: readOpenpanel,
  plausible: readPlausible,
  posthog: readPosthog,
  rudderstack: readRudderstack,
  sensors: readSensors,
  snowplow: readSnowplow,
  umami: readUmami,
}

/** What is no object, and what a protocol without a reader sends, goes on as it is: the checks at the door name the fault. */
export const readLine = (protocol: string, raw: unknown): unknown => {
  const read = Object.hasOwn(READERS, protocol) ? READERS[protocol as keyof typeof READERS] : undefined
  if (!read || !isFields(raw)) return raw
  const event = read(raw)
  // Ingest adds these where an event has no id of its own.
  return { ...event, messageId: event['messageId'] ?? raw['messageId'], anonymousId: event['anonymousId'] ?? raw['anonymousId'] }
}
