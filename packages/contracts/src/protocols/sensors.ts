import type { EventType } from '../event.ts'
import { type Fields, fieldsOf, given, textOf } from '../fields.ts'
import { ANONYMOUS, USER } from '../keys.ts'
import { hashedId } from './hashed-id.ts'
import { type FieldTable, placed, says } from './place.ts'
import type { ProtocolReader } from './read-line.ts'

const CONTEXT: FieldTable = [
  ['$url', 'page.url'], ['$url_path', 'page.path'], ['$url_query', 'page.search'], ['$title', 'page.title'], ['$referrer', 'page.referrer'],
  ['$utm_source', 'campaign.source'], ['$utm_medium', 'campaign.medium'], ['$utm_campaign', 'campaign.name'],
  ['$utm_term', 'campaign.term'], ['$utm_content', 'campaign.content'],
  ['$ip', 'ip'], ['$user_agent', 'userAgent'], ['$language', 'locale'], ['$browser_language', 'locale'], ['$event_session_id', 'sessionId'],
  ['$os', 'os.name'], ['$os_version', 'os.version'], ['$browser', 'browser.name'], ['$browser_version', 'browser.version'],
  ['$model', 'device.model'], ['$manufacturer', 'device.manufacturer'], ['$device_id', 'device.id'],
  ['$screen_width', 'screen.width'], ['$screen_height', 'screen.height'], ['$carrier', 'network.carrier'], ['$wifi', 'network.wifi'],
  ['$app_name', 'app.name'], ['$app_id', 'app.namespace'], ['$app_version', 'app.version'],
  ['$country', 'location.country'], ['$province', 'location.region'], ['$city', 'location.city'],
]

/** What the SDK says of itself stands beside the event. */
const LIBRARY: FieldTable = [['$lib', 'library.name'], ['$lib_version', 'library.version'], ['$app_version', 'app.version']]

const VIEWS: ReadonlyMap<unknown, EventType> = new Map([['$pageview', 'page'], ['$MPViewScreen', 'screen'], ['$AppViewScreen', 'screen']])

/** SDKs whose names do not tell where they run. */
const CHANNELS: ReadonlyMap<unknown, string> = new Map([
  ...['MiniProgram', 'AlipayMini', 'BaiduMini', 'BytedanceMini', 'QQMini', 'QuickApp', 'HarmonyOS'].map((lib) => [lib, 'mobile'] as const), ['C#', 'server'],
])

/** One event, profile operation or item of Sensors' SDKs, by its `type`. An unknown type goes on and is refused at the door. */
export const readSensors: ProtocolReader = (raw) => {
  const properties = fieldsOf(raw['properties'])
  const read = READERS[textOf(raw['type']) ?? '']
  return {
    messageId: messageIdOf(raw, properties),
    timestamp: timeOf(raw['time']),
    sentAt: raw['_flush_time'],
    channel: CHANNELS.get(fieldsOf(raw['lib'])['$lib']),
    ...(read ? read(raw, properties) : { ...peopleOf(raw, properties), type: raw['type'] }),
  }
}

const readTrack: Reader = (raw, properties) => {
  const type = VIEWS.get(raw['event']) ?? 'track'
  const name = type === 'page' ? properties['$title'] : (properties['$screen_name'] ?? properties['$title'])
  return {
    type,
    ...(type === 'track' ? { event: raw['event'] } : says(name) ? { name } : {}),
    ...peopleOf(raw, properties), properties, traits: traitsOf(raw), context: contextOf(raw, properties),
  }
}

const readSignup: Reader = (raw, properties) =>
  ({ type: 'identify', ...peopleOf(raw, properties), properties, traits: traitsOf(raw), context: contextOf(raw, properties) })

/** It names what is cut; ingest cuts it. As an event it is nobody's: read as a person's it would join them again. */
const readUnbind: Reader = (raw, properties) =>
  ({ type: 'track', event: given(raw['event']) ?? '$UnbindID', userId: '', properties, context: { ...contextOf(raw, properties), identities: raw['identities'] } })

const readItem: Reader = (raw, properties) => ({
  type: 'track', event: `$${String(raw['type'])}`, userId: '',
  properties: { ...properties, item_type: raw['item_type'], item_id: raw['item_id'] }, context: contextOf(raw, {}),
})

const profile = (operations: (properties: Fields) => Fields): Reader => (raw, properties) => {
  const { traits, ...rest } = operations(traitsIn(properties))
  // What its properties say is of the person, not of this event.
  return { type: 'identify', ...peopleOf(raw, properties), traits: { ...traitsOf(raw), ...fieldsOf(traits) }, ...rest, context: contextOf(raw, {}) }
}

type Reader = (raw: Fields, properties: Fields) => Fields

const READERS: Readonly<Partial<Record<string, Reader>>> = {
  track: readTrack,
  track_signup: readSignup,
  track_id_bind: readSignup,
  track_id_unbind: readUnbind,
  profile_set: profile((traits) => ({ traits })),
  profile_set_once: profile((setOnce) => ({ traitOps: { setOnce } })),
  profile_increment: profile((add) => ({ traitOps: { add } })),
  profile_append: profile((append) => ({ traitOps: { append } })),
  profile_unset: profile((names) => ({ traitOps: { unset: Object.keys(names) } })),
  profile_delete: profile(() => ({ traitOps: { delete: true } })),
  item_set: readItem,
  item_delete: readItem,
}

/** Without the flag of the id, and without the words by which the SDK says that it knows nothing. */
const traitsIn = (properties: Fields): Fields =>
  Object.fromEntries(Object.entries(properties).filter(([name, value]) => name !== '$is_login_id' && (says(value) || !name.startsWith('$'))))

const contextOf = (raw: Fields, properties: Fields): Fields => {
  const lib = fieldsOf(raw['lib'])
  return { ...placed(properties, CONTEXT), ...placed({ ...properties, ...lib }, LIBRARY) }
}

/** `distinct_id` is whom the event is of: a user where something says so, else a device. */
const peopleOf = (raw: Fields, properties: Fields): Fields => {
  const { distinct_id: distinctId, login_id: loginId, anonymous_id: anonymousId, original_id: originalId } = raw
  const identities = fieldsOf(raw['identities'])
  const isUser = raw['type'] === 'track_signup' || properties['$is_login_id'] === true
  const userId = given(loginId) ?? given(identities['$identity_login_id']) ?? (isUser ? given(distinctId) : undefined)
  // A sign-up names whom it makes a user; the browser SDK's `trackSignup` says by then that the user is its anonymous id.
  const device = given(originalId) ?? given(anonymousId) ?? given(identities['$identity_anonymous_id']) ?? given(identities['$identity_cookie_id'])
  return { userId, anonymousId: device ?? (userId === undefined ? distinctId : undefined) }
}

const IDENTITY = '$identity_'
const IDENTITY_TYPES: ReadonlyMap<string, string> = new Map([
  ['login_id', USER], ['cookie_id', ANONYMOUS], ['anonymous_id', ANONYMOUS], ['mp_unionid', 'unionid'], ['mp_openid', 'openid'],
])

/** The type of key that a field of `identities` is: `$identity_mobile` is `mobile`. */
export const sensorsIdentityType = (field: string): string => {
  const name = field.startsWith(IDENTITY) ? field.slice(IDENTITY.length) : field
  return IDENTITY_TYPES.get(name) ?? name
}

/** Identities beside user and device are traits, so that the types which a project declares find them. */
const traitsOf = (raw: Fields): Fields => {
  const traits: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(fieldsOf(raw['identities']))) {
    const type = sensorsIdentityType(field)
    if (type !== USER && type !== ANONYMOUS) traits[type] = value
  }
  return traits
}

/** Sensors writes a time of day without an offset as that of China. */
const LOCAL = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?$/
const timeOf = (time: unknown): unknown => (typeof time === 'string' && LOCAL.test(time.trim()) ? `${time.trim()}+08:00` : time)

/** The SDK's random number tells two like events apart; one without it has nothing but its content. */
const messageIdOf = (raw: Fields, properties: Fields): string => {
  const { distinct_id: distinctId, type, event, time, original_id: originalId, item_type: itemType, item_id: itemId, identities, _track_id: trackId } = raw
  return hashedId(distinctId, type, event, time, originalId, itemType, itemId, given(trackId) ?? [identities, properties])
}
