import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES } from './protocol.ts'

const fields = z.looseObject({})
/** For the document alone: what SDKs send is read by its bytes. */
const event = z.looseObject({
  event_type: z.string(), user_id: z.string().optional(), device_id: z.string().optional(), time: z.number().optional(), insert_id: z.string().optional(),
  event_properties: fields.optional(), user_properties: fields.optional(), groups: fields.optional(),
})
const ANSWER = { description: '`{code: 200, events_ingested, payload_size_bytes, server_upload_time}`: the log has every event of the request.' }
const CODES = [...DOOR_CODES, 'BATCH_MISSING', 'BATCH_TOO_LONG'] as const

export const HTTP_API: RouteDocs = {
  summary: 'Takes events of Amplitude’s SDKs. One bad event never fails its batch.', access: 'write-key',
  body: z.looseObject({ api_key: z.string(), events: z.array(event), client_upload_time: z.string().optional() }), answer: ANSWER, codes: CODES,
}
export const FORM: RouteDocs = {
  summary: 'Takes events of Amplitude’s first HTTP API: a form with `api_key` and `event`.', access: 'write-key',
  body: z.looseObject({ api_key: z.string(), event: z.string().describe('an event, or a list of them, in JSON') }), answer: ANSWER, codes: CODES,
}
