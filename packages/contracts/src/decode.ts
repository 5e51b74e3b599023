import { createHash } from 'node:crypto'
import { type CanonicalEvent, EVENT_NAMES, type EventType } from './event.ts'
import type { Refusal } from './errors.ts'
import { type Fields, fieldsOf, isFields } from './fields.ts'
import { normaliseId, usableId } from './filed-key.ts'
import type { Project } from './project.ts'
import { readLine } from './protocols/read-line.ts'
import type { Origin } from './record.ts'
import { revenueOf } from './revenue.ts'
import { type Accepted, acceptEvent } from './segment-accept.ts'
import { channelOf } from './segment-channel.ts'
import { traitOpsOf } from './trait-ops.ts'

export type DecodeSettings = Pick<Project, 'id' | 'identity' | 'currency'>

/**
 * One line of events.accepted (already `JSON.parse`d) as every consumer sees it. A pure function of the log: the same
 * line, origin and project settings always give the same event. A refusal is only met when a line was not written
 * by ingest.
 */
export const decodeEvent = (origin: Origin, project: DecodeSettings, raw: unknown): CanonicalEvent | Refusal => {
  const accepted = acceptEvent(readLine(origin.protocol, raw), origin)
  return accepted.ok ? toCanonical(origin, project, accepted, peerOf(raw)) : accepted
}

/** Where a user's own device called from, as ingest saw it. Its word counts more than what a page says of its address. */
interface Peer {
  readonly ip?: unknown
  readonly userAgent?: unknown
  readonly bot?: unknown
}

const peerOf = (raw: unknown): Peer | null => {
  const peer = fieldsOf(raw)[PEER_FIELD]
  return isFields(peer) ? peer : null
}

const withPeer = (context: Record<string, unknown>, peer: Peer | null): Fields => (peer ? peerLaidOver(context, peer) : context)

const peerLaidOver = (context: Fields, { ip, userAgent, bot }: Peer): Fields => ({
  ...context,
  ...(typeof ip === 'string' ? { ip } : {}),
  ...(typeof userAgent === 'string' && typeof context['userAgent'] !== 'string' ? { userAgent } : {}),
  ...(bot === true ? { bot } : {}),
})

/** The field that ingest adds to an event of a user's own device; one that a sender wrote itself comes before it and is overruled. */
export const PEER_FIELD = 'peer'

const toCanonical = (origin: Origin, project: DecodeSettings, accepted: Accepted, peer: Peer | null): CanonicalEvent => {
  const { raw, type, times } = accepted
  const context = withPeer({ ...origin.context, ...fieldsOf(raw['context']) }, peer)
  const event = type === 'track' ? accepted.name : EVENT_NAMES[type]
  const properties = propertiesOf(type, raw)
  const blocked = project.identity.blockedValues
  return {
    project: project.id,
    messageId: messageIdOf(origin, raw),
    type,
    event,
    userId: usableId(raw['userId'], blocked),
    anonymousId: usableId(raw['anonymousId'], blocked),
    previousId: usableId(raw['previousId'], blocked),
    groupId: normaliseId(raw['groupId'] ?? context['groupId']),
    timestamp: Math.min(times.timestamp, origin.receivedAt),
    originalTimestamp: times.original,
    sentAt: times.sentAt,
    receivedAt: origin.receivedAt,
    source: origin.source,
    protocol: origin.protocol,
    sessionId: sessionIdOf(context, properties),
    channel: channelOf(raw, context),
    properties,
    traits: traitsOf(type, raw, context),
    // The traits of a group are the group's.
    traitOps: type === 'group' ? null : traitOpsOf(raw),
    context,
    revenue: type === 'track' ? revenueOf(event, properties) : null,
    currency: currencyOf(properties) ?? project.currency,
  }
}

/** Longer message ids are replaced by their hash: they are compared, not read. */
const MESSAGE_ID_LENGTH_MAX = 256

/**
 * The sender's message id. Ingest gives one to an event that has none; for a line from elsewhere it is the
 * hash of source, time of receipt and content.
 */
export const messageIdOf = (origin: Pick<Origin, 'source' | 'receivedAt'>, raw: Fields): string => {
  const given = ownMessageId(raw)
  if (given === null) return hashed(`${origin.source}\n${origin.receivedAt}\n${JSON.stringify(raw)}`)
  return given.length > MESSAGE_ID_LENGTH_MAX ? hashed(given) : given
}

/** The message id that the sender wrote, or null: an empty one is none. */
export const ownMessageId = (raw: Fields): string | null => {
  const given = raw['messageId']
  const text = typeof given === 'string' ? given.toWellFormed().trim() : Number.isSafeInteger(given) ? String(given) : ''
  return text === '' ? null : text
}

const hashed = (text: string): string => `h-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`

/** `context.traits` lies under the event's own traits; those of a group event are the group's and stand alone. */
const traitsOf = (type: EventType, raw: Fields, context: Fields): Fields =>
  type === 'group' ? fieldsOf(raw['traits']) : { ...fieldsOf(context['traits']), ...fieldsOf(raw['traits']) }

/** The name and category of a page or screen stand beside its properties on the wire. */
const propertiesOf = (type: EventType, raw: Fields): Fields => {
  const own = fieldsOf(raw['properties'])
  if (type !== 'page' && type !== 'screen') return own
  const named: Record<string, unknown> = {}
  for (const field of ['name', 'category']) if (typeof raw[field] === 'string' && raw[field] !== '') named[field] = raw[field]
  return { ...named, ...own }
}

const SESSION_ID_LENGTH_MAX = 128

const sessionIdOf = (context: Fields, properties: Fields): string => {
  const given = context['sessionId'] ?? context['session_id'] ?? properties['session_id'] ?? properties['sessionId']
  const id = normaliseId(given) ?? ''
  return id.length <= SESSION_ID_LENGTH_MAX ? id : ''
}

const CURRENCY = /^[A-Za-z]{3}$/

const currencyOf = (properties: Fields): string | null => {
  const given = properties['currency']
  return typeof given === 'string' && CURRENCY.test(given.trim()) ? given.trim().toUpperCase() : null
}
