import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES, EVENT_CODES } from './protocol.ts'

const query = z.looseObject({
  idsite: z.string().optional().describe('the write key'), url: z.string().optional(), action_name: z.string().optional(), _id: z.string().optional(), uid: z.string().optional(),
  cdt: z.string().optional().describe('more than a day back only with token_auth'), token_auth: z.string().optional().describe('the write key'),
  send_image: z.enum(['0', '1']).optional().describe('0: answer 204'),
})

export const GET: RouteDocs = {
  summary: 'Takes one request of Matomo’s tracking API, from its query.', access: 'write-key', query,
  answer: { description: 'A picture of one pixel, or 204 where send_image=0.', type: 'image/gif' }, codes: [...DOOR_CODES, ...EVENT_CODES, 'BATCH_MISSING', 'TIME_NOT_TRUSTED'],
}
export const POST: RouteDocs = {
  ...GET, summary: 'Takes one request from its query or a form, or many as `{requests: ["?idsite=…"], token_auth}`. One bad request never fails the others.',
  body: z.looseObject({ requests: z.array(z.string()).optional(), token_auth: z.string().optional() }),
  answer: { description: 'Of many: `{status: "success", tracked, invalid}`. Of one: as with GET.' }, codes: [...GET.codes!, 'BATCH_TOO_LONG', 'WRITE_KEY_MIXED'],
}
