import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES } from './protocol.ts'

const body = z.looseObject({
  client_id: z.string().optional(), app_instance_id: z.string().optional(), user_id: z.string().optional(), timestamp_micros: z.union([z.int(), z.string()]).optional(),
  user_properties: z.record(z.string(), z.looseObject({ value: z.unknown() })).optional(),
  events: z.array(z.looseObject({ name: z.string(), params: z.looseObject({}).optional(), timestamp_micros: z.union([z.int(), z.string()]).optional() })),
})
const query = z.looseObject({
  measurement_id: z.string().optional().describe('a write key'), firebase_app_id: z.string().optional().describe('a write key'),
  api_secret: z.string().optional().describe('a write key, where the others name none'),
})

export const COLLECT: RouteDocs = {
  summary: 'Takes events of Google Analytics’ Measurement Protocol.', access: 'write-key', query, body,
  answer: { status: 204, description: 'The log has every event of the request, as accepted or as rejected; a request with an unknown key is answered so, too.', type: null },
  codes: DOOR_CODES,
}
export const DEBUG: RouteDocs = {
  summary: 'Says what would be wrong with such a request; takes nothing.', access: 'none', query, body,
  answer: { description: '`{validationMessages: [{fieldPath, description, validationCode}]}`' }, codes: ['TOO_MANY_REQUESTS', 'STOPPING'],
}
