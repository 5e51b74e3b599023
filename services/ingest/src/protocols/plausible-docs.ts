import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES, EVENT_CODES } from './protocol.ts'

export const EVENT: RouteDocs = {
  summary: 'Takes one event of Plausible’s scripts or of its events API; the domain is the write key.', access: 'write-key',
  body: z.looseObject({
    n: z.string().optional().describe('also `name`'), u: z.string().optional().describe('also `url`'), d: z.string().optional().describe('also `domain`: the write key'),
    r: z.string().nullish().describe('also `referrer`'), p: z.union([z.looseObject({}), z.string()]).optional().describe('also `props`'),
    $: z.looseObject({ amount: z.unknown(), currency: z.unknown() }).optional().describe('also `revenue`'),
  }),
  answer: { status: 202, description: 'The log has the event.', type: 'text/plain' }, codes: [...DOOR_CODES, ...EVENT_CODES],
}
