import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES } from './protocol.ts'

const event = z.looseObject({ e: z.string().describe('pv, pp, se, ue, tr, ti'), aid: z.string().describe('the write key'), eid: z.string().optional() })
const CODES = [...DOOR_CODES, 'BATCH_MISSING', 'BATCH_TOO_LONG'] as const

/** For the document alone: what trackers send is read by its bytes. */
export const SEND: RouteDocs = {
  summary: 'Takes events of Snowplow’s trackers.', access: 'write-key', body: z.looseObject({ schema: z.string().optional(), data: z.array(event) }),
  answer: { description: '`ok`: the log has every event of the request.', type: 'text/plain' }, codes: CODES,
}
export const BEACON: RouteDocs = {
  summary: 'Takes one event of Snowplow’s trackers (with `e` and `aid`) or a request of Countly’s SDKs (with `app_key`) from the query.', access: 'write-key',
  query: z.looseObject({ e: z.string().optional(), aid: z.string().optional(), app_key: z.string().optional(), device_id: z.string().optional(), events: z.string().optional() }),
  answer: { description: 'A GIF of one pixel; to Countly `{"result":"Success"}`.', type: 'image/gif' }, codes: CODES,
}
