import type { CanonicalEvent, ResolvedEventLine } from '@millrace/contracts'

export const AT = Date.UTC(2024, 0, 15, 12, 34, 56, 789)

export const event = (fields: Partial<CanonicalEvent> = {}): CanonicalEvent => ({
  project: 1,
  messageId: 'm1',
  type: 'track',
  event: 'Order Completed',
  userId: 'u1',
  anonymousId: null,
  previousId: null,
  groupId: null,
  timestamp: AT,
  originalTimestamp: null,
  sentAt: null,
  receivedAt: AT + 5,
  source: 'web',
  protocol: 'segment',
  sessionId: '',
  channel: 'web',
  properties: {},
  traits: {},
  traitOps: null,
  context: {},
  revenue: null,
  currency: 'USD',
  ...fields,
})

export const line = (
  fields: Partial<Pick<ResolvedEventLine, 'key' | 'number' | 'place'>> = {},
): Pick<ResolvedEventLine, 'key' | 'number' | 'place'> => ({ key: 'user_id:u1', number: 64, place: [0, 0, 0], ...fields })
