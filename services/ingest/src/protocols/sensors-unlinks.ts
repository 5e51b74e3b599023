import {
  ANONYMOUS, declaredId, decodeEvent, type Fields, fieldsOf, isFields, isRefusal, type Key, keyOf, type Project, sensorsIdentityType, USER,
} from '@millrace/contracts'
import type { SentEvent } from '../domain/sent-event.ts'
import type { Asked, Unlink } from './protocol.ts'

/** What `track_id_unbind` cuts: each identity that it names from the others, and from the person whom it is said of. */
export const unlinksOf = (events: readonly SentEvent[], asked: Asked): readonly Unlink[] =>
  events.flatMap(({ raw, refusal }) => (!refusal && isFields(raw) && raw['type'] === 'track_id_unbind' ? unlinksIn(raw, asked) : []))

const unlinksIn = (raw: Fields, { project, source, receivedAt }: Asked): readonly Unlink[] => {
  const event = decodeEvent({ source, protocol: 'sensors', receivedAt, sentAt: null }, project, raw)
  if (isRefusal(event)) return []
  const order = { time: event.timestamp, messageId: event.messageId }
  const named = keysNamed(raw, project)
  return named.flatMap((a, index) => [...new Set([...named.slice(index + 1), ...owners(raw, project)])].filter((b) => b !== a).map((b) => ({ a, b, order })))
}

const keysNamed = (raw: Fields, project: Project): readonly Key[] =>
  Object.entries(fieldsOf(raw['identities'])).flatMap(([field, value]) => key(project, sensorsIdentityType(field), value))

/** An unbind does not say whether its `distinct_id` is a user or a device: it is cut from both. */
const owners = (raw: Fields, project: Project): readonly Key[] => [
  ...key(project, USER, raw['login_id']), ...key(project, USER, raw['distinct_id']),
  ...key(project, ANONYMOUS, raw['anonymous_id']), ...key(project, ANONYMOUS, raw['distinct_id']),
]

const key = (project: Project, type: string, value: unknown): readonly Key[] => {
  const known = type === USER || type === ANONYMOUS || project.identity.types.some((declared) => declared.type === type)
  const id = known ? declaredId(type, value, project.identity.blockedValues) : null
  return id === null ? [] : [keyOf(type, id)]
}
