import { isBlocked } from './blocked-values.ts'
import type { CanonicalEvent } from './event.ts'
import { ANONYMOUS, hash32, type Key, keyOf, NONE, SHARDS, USER } from './keys.ts'
import type { Project } from './project.ts'

/** Characters of an id after normalisation. */
export const ID_LENGTH_MAX = 256

const PLAIN = /^[!-~]+$/
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/g

/** What the identity of a project needs of its settings. */
export type IdentitySettings = Pick<Project, 'id' | 'identity'>

/**
 * The id as text (trimmed, NFC, well formed, no control characters; whole numbers become text), or null when there is
 * none, it is too long, or JSON could not carry it exactly.
 */
export const normaliseId = (value: unknown): string | null => {
  const text = typeof value === 'string' ? value : Number.isSafeInteger(value) || typeof value === 'boolean' ? String(value) : null
  if (text === null) return null
  const normal = PLAIN.test(text) ? text : text.toWellFormed().replace(CONTROL, '').trim().normalize('NFC')
  return normal.length > 0 && normal.length <= ID_LENGTH_MAX ? normal : null
}

/** `normaliseId`, and null for a blocked value too. */
export const usableId = (value: unknown, blocked: readonly string[]): string | null => {
  const id = normaliseId(value)
  return id === null || isBlocked(id, blocked) ? null : id
}

/**
 * The key that an event is filed under: its user id, else its anonymous id, blocked values taken out first;
 * else `none:<0..63>` by its message id. It chooses the partition, so it never depends on anything else.
 */
export const filedKeyOf = (
  project: IdentitySettings,
  event: { readonly userId: unknown; readonly anonymousId: unknown; readonly messageId: string },
): Key => {
  const user = usableId(event.userId, project.identity.blockedValues)
  if (user !== null) return keyOf(USER, user)
  const anonymous = usableId(event.anonymousId, project.identity.blockedValues)
  if (anonymous !== null) return keyOf(ANONYMOUS, anonymous)
  return `${NONE}:${hash32(event.messageId) % SHARDS}`
}

/**
 * The other keys that an event carries beside its filed key: the anonymous id beside a user id, and values of the
 * project's declared types. Those are read from the traits, and of a track from its properties; the traits of a
 * group event are the group's, so only `context.traits` counts there. An alias names keys, it carries none.
 */
export const identitiesOf = (project: IdentitySettings, event: CanonicalEvent): readonly Key[] => {
  const keys: Key[] = []
  if (event.type === 'alias') return keys
  if (event.userId !== null && event.anonymousId !== null) keys.push(keyOf(ANONYMOUS, event.anonymousId))
  if (event.userId === null && event.anonymousId === null) return keys
  for (const { type } of project.identity.types) {
    const value = declaredId(type, declaredIn(event, type), project.identity.blockedValues)
    if (value !== null && type !== USER && type !== ANONYMOUS) keys.push(keyOf(type, value))
  }
  return keys
}

const declaredIn = (event: CanonicalEvent, type: string): unknown => {
  const traits = event.type === 'group' ? event.context['traits'] : event.traits
  const own = typeof traits === 'object' && traits !== null ? (traits as Record<string, unknown>)[type] : undefined
  return own ?? (event.type === 'track' ? event.properties[type] : undefined)
}

/** Mail addresses are compared without case, since senders do not agree on it. */
export const declaredId = (type: string, value: unknown, blocked: readonly string[]): string | null => {
  const id = usableId(value, blocked)
  return id !== null && type === 'email' ? id.toLowerCase() : id
}
