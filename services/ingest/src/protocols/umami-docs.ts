import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES, EVENT_CODES } from './protocol.ts'

const event = z.looseObject({
  type: z.enum(['event', 'identify']),
  payload: z.looseObject({
    website: z.string().describe('the write key'), name: z.string().optional(), url: z.string().optional(), title: z.string().optional(), referrer: z.string().optional(),
    id: z.string().optional().describe('the user'), data: z.looseObject({}).optional(), timestamp: z.int().optional().describe('seconds'),
  }),
})

export const SEND: RouteDocs = {
  summary: 'Takes one event of Umami’s SDKs.', access: 'write-key', body: event,
  answer: { description: '`{cache, sessionId, visitId}`; cache comes back as the header x-umami-cache. `{}` to an unknown key.' }, codes: [...DOOR_CODES, ...EVENT_CODES],
}
export const BATCH: RouteDocs = {
  summary: 'Takes a list of such events. One bad event never fails its batch.', access: 'write-key', body: z.array(event),
  answer: { description: '`{size, processed, errors, details, cache}`' }, codes: [...DOOR_CODES, 'BATCH_MISSING', 'BATCH_TOO_LONG'],
}
