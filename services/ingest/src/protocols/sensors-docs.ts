import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES } from './protocol.ts'

const query = z.looseObject({ token: z.string().optional().describe('the write key') })
const event = z.looseObject({ type: z.string(), distinct_id: z.string().optional(), time: z.union([z.int(), z.string()]).optional(), properties: z.looseObject({}).optional() })
const CODES = [...DOOR_CODES, 'BATCH_MISSING', 'BATCH_TOO_LONG'] as const

/** For the document alone: what SDKs send is read by its bytes. */
export const SEND: RouteDocs = {
  summary: 'Takes events of Sensors’ SDKs: a form with `data` (one) or `data_list` (a list), JSON in base64, with or without gzip.', access: 'write-key', query,
  body: z.union([event, z.array(event)]), answer: { description: 'Empty: the log has what came. Also where it could not be read: these SDKs lose or repeat what is refused.', type: 'text/plain' },
  codes: CODES,
}
export const BEACON: RouteDocs = {
  summary: 'The same from the query, for a picture.', access: 'write-key', query: query.extend({ data: z.string(), ext: z.string().optional() }),
  answer: { description: 'A GIF of one pixel.', type: 'image/gif' }, codes: CODES,
}
export const CHECK: RouteDocs = {
  ...SEND, summary: 'As /sa, and tells what is wrong with an event. With the header `Dry-Run` nothing is kept.',
  answer: { description: 'Empty: nothing is wrong. Else 400 with the code.', type: 'text/plain' },
}
