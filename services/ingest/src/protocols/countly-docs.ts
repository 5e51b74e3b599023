import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES } from './protocol.ts'

const request = z.looseObject({
  app_key: z.string().describe('the write key'), device_id: z.string(), events: z.string().optional(), user_details: z.string().optional(), metrics: z.string().optional(),
})
const answer = { description: '`{"result":"Success"}`: the log has every event of the request. Also where it could not be read: the SDK would send it for ever.' }
const codes = [...DOOR_CODES, 'BATCH_MISSING', 'BATCH_TOO_LONG'] as const
const requests = z.looseObject({ requests: z.string().describe('a list of requests as JSON') })

/** For the document alone: what SDKs send is read by its bytes. */
export const SEND: RouteDocs = { summary: 'Takes a request of Countly’s SDKs, as a form.', access: 'write-key', body: request, answer, codes }
export const BULK: RouteDocs = { summary: 'Takes many requests of Countly’s SDKs.', access: 'write-key', body: requests, answer, codes }
export const GET_BULK: RouteDocs = { summary: 'The same from the query.', access: 'write-key', query: requests, answer, codes }
export const ANSWERS: RouteDocs = { summary: 'What Countly’s SDKs ask beside sending.', access: 'none', answer: { description: 'An empty object: no settings, no surveys.' }, codes: ['TOO_MANY_REQUESTS', 'STOPPING'] }
