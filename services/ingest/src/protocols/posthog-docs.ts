import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES, EVENT_CODES } from './protocol.ts'

const fields = z.looseObject({})
/** For the document alone: what SDKs send is read by its bytes. */
const event = z.looseObject({
  event: z.string(), distinct_id: z.union([z.string(), z.number()]).optional(), properties: fields.optional(), timestamp: z.string().optional(), uuid: z.string().optional(),
})

export const CAPTURE: RouteDocs = {
  summary: 'Takes events of PostHog’s SDKs: `batch`, one event, or a list; as JSON, gzip, or base64 in the form field `data`. At `/batch` a body with `events` is Amplitude’s.',
  access: 'write-key',
  body: z.looseObject({ api_key: z.string().optional(), batch: z.array(event).optional(), sent_at: z.string().optional() }),
  answer: { description: '`{status: "Ok"}`: the log has every event of the request. An event that comes alone is refused with its code.' },
  codes: [...DOOR_CODES, ...EVENT_CODES, 'BATCH_MISSING', 'BATCH_TOO_LONG'],
}
export const CAPTURE_GET: RouteDocs = {
  summary: 'Takes events of PostHog’s older SDKs from the query.', access: 'write-key', query: z.looseObject({ data: z.string().describe('JSON, plain or in base64') }),
  answer: { description: '`{status: "Ok"}`: the log has every event of the request. An event that comes alone is refused with its code.' }, codes: [...DOOR_CODES, ...EVENT_CODES, 'BATCH_MISSING', 'BATCH_TOO_LONG'],
}
export const EVENTS_V1: RouteDocs = {
  summary: 'Takes a batch of PostHog’s capture protocol, version 1; the key is `Authorization: Bearer`.', access: 'write-key',
  body: z.looseObject({ created_at: z.string().optional(), batch: z.array(event) }),
  answer: { description: '`{results: {<uuid>: {result: "ok" | "drop", details?}}}`: the log has every event of the request.' },
  codes: [...DOOR_CODES, 'BATCH_MISSING', 'BATCH_TOO_LONG'],
}
const KEY_CODES = ['WRITE_KEY_MISSING', 'WRITE_KEY_UNKNOWN'] as const
export const FLAGS: RouteDocs = {
  summary: 'What PostHog’s SDKs ask of feature flags: there are none.', access: 'none', body: z.looseObject({ token: z.string().optional(), api_key: z.string().optional() }),
  answer: { description: 'PostHog’s answer, without flags.' }, codes: KEY_CODES,
}
export const CONFIG: RouteDocs = { summary: 'What PostHog’s browser SDK asks before it packs.', access: 'none', answer: { description: 'PostHog’s remote config.' }, codes: KEY_CODES }
export const CONFIG_SCRIPT: RouteDocs = { ...CONFIG, summary: 'The same as a script.', answer: { description: 'A script that sets the config.', type: 'application/javascript' } }
