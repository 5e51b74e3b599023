import { isNobody, personIdOf, type CanonicalEvent, type ResolvedEventLine } from '@millrace/contracts'
import { jsonRow, timeText, timeTextOrNull } from './json.ts'

export interface TypedProperties {
  readonly strs: Record<string, string>
  readonly nums: Record<string, number>
  readonly bools: Record<string, boolean>
  /** Members that are lists, objects or null, as a JSON object; empty text when there are none. */
  readonly extra: string
}

/** One row of `millrace_store.events`: a pure function of the log line and of the project's fixed zone. */
export const eventRow = (
  event: CanonicalEvent,
  line: Pick<ResolvedEventLine, 'key' | 'number' | 'place' | 'request'>,
  dayOf: (ms: number) => string,
): string => {
  const nobody = isNobody(line.key)
  return jsonRow({
    project: event.project,
    event: event.event,
    type: event.type,
    timestamp: timeText(event.timestamp),
    received_at: timeText(event.receivedAt),
    sent_at: timeTextOrNull(event.sentAt),
    day: dayOf(event.timestamp),
    number: line.number,
    nobody,
    filed_person: nobody ? NOBODY : personIdOf(event.project, line.key),
    message_id: event.messageId,
    user_id: event.userId ?? '',
    anonymous_id: event.anonymousId ?? '',
    session_id: event.sessionId,
    source: event.source,
    protocol: event.protocol,
    channel: event.channel,
    request_id: line.request ?? '',
    revenue: storableMoney(event.revenue),
    currency: event.currency,
    ...typedProperties(event.type === 'identify' || event.type === 'group' ? event.traits : event.properties),
    context: JSON.stringify(event.context),
    _partition: line.place[0],
    _offset: line.place[1],
    _index: line.place[2],
  })
}

const NOBODY = '00000000-0000-0000-0000-000000000000'

/** Each property in the map of its type: a number is a number whatever its spelling, so no value is lost to a type. */
export const typedProperties = (properties: Readonly<Record<string, unknown>>): TypedProperties => {
  const strs: Record<string, string> = {}
  const nums: Record<string, number> = {}
  const bools: Record<string, boolean> = {}
  const rest: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(properties)) {
    // Assigning to `__proto__` would change the object instead of adding a member.
    const target = key === '__proto__' ? null : value
    if (target === null || typeof value === 'object' || (typeof value === 'number' && !Number.isFinite(value))) {
      Object.defineProperty(rest, key, { value, enumerable: true, configurable: true, writable: true })
    } else if (typeof value === 'string') strs[key] = value
    else if (typeof value === 'number') nums[key] = value
    else if (typeof value === 'boolean') bools[key] = value
  }
  return { strs, nums, bools, extra: Object.keys(rest).length === 0 ? '' : JSON.stringify(rest) }
}

/** Decimal(18,4) holds 14 digits before the point; a larger amount is no amount of money and stays a property. */
const storableMoney = (revenue: string | null): string | null =>
  revenue !== null && /^-?\d{1,14}(\.\d{1,4})?$/.test(revenue) ? revenue : null
