import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES } from './protocol.ts'

const flag = z.enum(['0', '1']).optional()
const query = z.looseObject({ verbose: flag, img: flag.describe('answer with a picture') })
const ANSWER = { description: '`1`, or `{status: 1, error: null}` where verbose=1 is asked for in the query or the form: the log has every line of the request.' }
const CODES = [...DOOR_CODES, 'BATCH_TOO_LONG'] as const

/** For the document alone: what SDKs send is read by its bytes. */
export const TRACK: RouteDocs = {
  summary: 'Takes events, profile operations or operations on groups of Mixpanel’s SDKs: JSON, plain, or plain or in base64 as the form field `data`.',
  access: 'write-key', query, body: z.union([z.looseObject({}), z.array(z.looseObject({}))]), answer: ANSWER, codes: CODES,
}
export const TRACK_GET: RouteDocs = {
  summary: 'The same from the query.', access: 'write-key', query: query.extend({ data: z.string().describe('JSON, plain or in base64') }), answer: ANSWER, codes: CODES,
}
export const IMPORT: RouteDocs = {
  ...TRACK, summary: 'Takes events of any age; also as one JSON object a line. The key may be the user of HTTP Basic or `api_key` too.',
  query: query.extend({ strict: flag.describe('answer with `{code, num_records_imported, status, failed_records?}`') }),
}
