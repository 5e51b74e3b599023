import type { RouteDocs } from '@millrace/service-kit'
import { z } from 'zod'
import { DOOR_CODES } from './protocol.ts'

export const TRACK: RouteDocs = {
  summary: 'Takes one event or profile operation of OpenPanel’s SDKs; the header openpanel-client-id holds the write key.', access: 'write-key',
  body: z.looseObject({ type: z.enum(['track', 'identify', 'increment', 'decrement', 'alias', 'group', 'assign_group', 'replay']), payload: z.looseObject({}) }),
  answer: { description: '`{deviceId, sessionId}`; 202 with a code for an event that is refused, since its SDKs send again on any other status.' },
  codes: DOOR_CODES,
}
