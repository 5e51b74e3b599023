import type { EventType } from '@millrace/contracts'
import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES, EVENT_CODES } from './protocol.ts'

/** For the document alone: what SDKs send is read by its bytes, and each event is checked by `acceptEvent`. */
const id = z.union([z.string(), z.int()])
const time = z.union([z.string(), z.number()])
const fields = {
  messageId: z.string().optional(),
  userId: id.optional(),
  anonymousId: id.optional(),
  timestamp: time.optional(),
  sentAt: time.optional(),
  context: z.looseObject({}).optional(),
  traitOps: z.looseObject({}).optional(),
  integrations: z.looseObject({}).optional(),
}
const ownFields = {
  track: { event: z.string().min(1).max(256), properties: z.looseObject({}).optional() },
  page: { name: z.string().optional(), properties: z.looseObject({}).optional() },
  screen: { name: z.string().optional(), properties: z.looseObject({}).optional() },
  identify: { traits: z.looseObject({}).optional() },
  group: { groupId: id, traits: z.looseObject({}).optional() },
  alias: { previousId: id },
} as const satisfies Record<EventType, object>
const TYPES = Object.keys(ownFields) as [EventType, ...EventType[]]

const batchBody = z.looseObject({
  batch: z.array(z.looseObject({ type: z.enum(TYPES), ...fields })),
  sentAt: time.nullish(),
  context: z.looseObject({}).optional(),
  writeKey: z.string().optional(),
})

export const BATCH: RouteDocs = {
  summary: 'Takes a batch of events. One bad event never fails its batch.', access: 'write-key', body: batchBody,
  answer: { description: '`{success, accepted, rejected: [{index, code, detail}]}`: the log has every event of the request.' },
  codes: [...DOOR_CODES, 'BATCH_MISSING', 'BATCH_TOO_LONG'],
}
export const singleDocs = (type: EventType): RouteDocs => ({
  summary: `Takes one event of type ${type}.`, access: 'write-key', body: z.looseObject({ ...fields, ...ownFields[type], writeKey: z.string().optional() }),
  answer: { description: '`{success, accepted, rejected}`: the log has the event.' }, codes: [...DOOR_CODES, ...EVENT_CODES],
})
export const OWN_FIGURES: RouteDocs = { summary: 'An SDK’s figures about itself: taken, not kept.', access: 'none', answer: { description: '`{success: true}`' }, codes: ['TOO_MANY_REQUESTS', 'STOPPING'] }
export const SETTINGS: RouteDocs = { summary: 'What the browser SDK asks before it sends.', access: 'none', answer: { description: 'Segment’s settings.' }, codes: ['WRITE_KEY_UNKNOWN'] }
