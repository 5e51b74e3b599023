import type { EventType } from '../event.ts'
import { type Fields, fieldsOf, given, isFields, textOf } from '../fields.ts'
import { hashedId } from './hashed-id.ts'
import { type FieldTable, placed } from './place.ts'
import type { ProtocolReader } from './read-line.ts'

const TYPES: ReadonlyMap<unknown, EventType> = new Map([
  ['$mp_web_page_view', 'page'], ['Page View', 'page'], ['$identify', 'identify'], ['$create_alias', 'alias'], ['$merge', 'alias'],
])

const CONTEXT: FieldTable = [
  ['mp_lib', 'library.name'], ['$lib_version', 'library.version'], ['$current_url', 'page.url'], ['current_url_path', 'page.path'],
  ['current_page_title', 'page.title'], ['$referrer', 'page.referrer'], ['$referring_domain', 'page.referringDomain'],
  ['utm_source', 'campaign.source'], ['utm_medium', 'campaign.medium'], ['utm_campaign', 'campaign.name'],
  ['utm_term', 'campaign.term'], ['utm_content', 'campaign.content'],
  ['$os', 'os.name'], ['$os_version', 'os.version'], ['$browser', 'browser.name'], ['$browser_version', 'browser.version'],
  ['$device', 'device.name'], ['$model', 'device.model'], ['$manufacturer', 'device.manufacturer'], ['$brand', 'device.brand'],
  ['$screen_width', 'screen.width'], ['$screen_height', 'screen.height'], ['$user_agent', 'userAgent'], ['$locale', 'locale'], ['timezone', 'timezone'],
  ['$app_version_string', 'app.version'], ['$app_build_number', 'app.build'],
  ['$city', 'location.city'], ['$region', 'location.region'], ['mp_country_code', 'location.country'],
]

/** A line of /track and /import has an event's name, one of /groups a group's key; what is left is one of /engage. */
export const readMixpanel: ProtocolReader = (raw) => {
  if (Object.hasOwn(raw, 'event')) return readEvent(raw)
  return Object.hasOwn(raw, '$group_key') || Object.hasOwn(raw, '$group_id') ? readGroup(raw) : readProfile(raw)
}

const readEvent = (raw: Fields): Fields => {
  const { token: _, ...properties } = fieldsOf(raw['properties'])
  const type = TYPES.get(raw['event']) ?? 'track'
  return {
    type,
    ...(type === 'track' ? { event: raw['event'] } : {}),
    ...(type === 'alias' ? aliasOf(properties) : personOf(properties)),
    messageId: messageIdOf(raw, properties),
    timestamp: given(properties['time']),
    properties,
    context: { ...placed(properties, CONTEXT), ...addressOf(properties['ip'] ?? properties['$ip']) },
  }
}

/** An insert id is one of its person's event at its time; the SDK for Node sends none of its own accord. */
const messageIdOf = (raw: Fields, properties: Fields): string | undefined => {
  const insert = given(properties['$insert_id'])
  return insert === undefined ? undefined : hashedId(insert, raw['event'], properties['distinct_id'], properties['time'])
}

const DEVICE_MARK = '$device:'

const plainId = (value: unknown): unknown =>
  typeof value === 'string' && value.startsWith(DEVICE_MARK) ? given(value.slice(DEVICE_MARK.length)) : given(value)

/** `$device:…` and what equals the device's id is anonymous. An event without any id is kept, and is nobody's. */
const personOf = (fields: Fields, id: unknown = fields['distinct_id']): Fields => {
  const device = plainId(fields['$device_id'] ?? fields['$anon_distinct_id'] ?? fields['$anon_id'])
  const isDevice = plainId(id) !== given(id) || plainId(id) === device
  const userId = given(fields['$user_id']) ?? given(fields['$identified_id']) ?? (isDevice ? undefined : id)
  const anonymousId = device ?? (isDevice ? plainId(id) : undefined)
  return given(userId) === undefined && anonymousId === undefined ? { userId: '' } : { userId, anonymousId }
}

/** Both sides are equals: which of them is the user is not told. */
const aliasOf = (properties: Fields): Fields => {
  const ids: unknown = properties['$distinct_ids']
  const [previousId, userId] = Array.isArray(ids) ? (ids as readonly unknown[]) : [properties['alias'], properties['distinct_id']]
  return { userId: plainId(userId), previousId: plainId(previousId) }
}

const readProfile = (raw: Fields): Fields => ({
  type: 'identify',
  ...personOf(raw, raw['$distinct_id']),
  messageId: given(raw['$insert_id']),
  timestamp: given(raw['$time']),
  properties: restOf(raw),
  traits: withPlainNames(fieldsOf(raw['$set'])),
  ...opsOf(raw),
  context: { ...placed(fieldsOf(raw['$set']), PROFILE_CONTEXT), ...addressOf(raw['$ip']) },
})

const PROFILE_CONTEXT: FieldTable = [['mp_lib', 'library.name'], ['$lib_version', 'library.version']]

const readGroup = (raw: Fields): Fields => ({
  type: 'group',
  userId: '',
  groupId: raw['$group_id'],
  messageId: given(raw['$insert_id']),
  timestamp: given(raw['$time']),
  properties: restOf(raw),
  traits: fieldsOf(raw['$set']),
  context: { groupType: raw['$group_key'] },
})

const OPS: ReadonlySet<string> = new Set(['$token', '$set', '$set_once', '$add', '$append', '$union', '$remove', '$unset', '$delete'])

/** What a line says beside its operations. */
const restOf = (raw: Fields): Fields => Object.fromEntries(Object.entries(raw).filter(([name]) => name.startsWith('$') && !OPS.has(name)))

const opsOf = (raw: Fields): Fields => {
  const unset: unknown = raw['$unset']
  const ops = {
    ...op('setOnce', raw['$set_once'], withPlainNames),
    ...op('add', raw['$add']),
    ...op('append', raw['$append'], (fields) => mapped(fields, (value) => [value])),
    ...op('union', raw['$union'], (fields) => mapped(fields, (value) => (Array.isArray(value) ? value : [value]))),
    ...op('remove', raw['$remove'], (fields) => mapped(fields, (value) => [value])),
    ...(Array.isArray(unset) ? { unset: unset.filter((name) => typeof name === 'string') } : {}),
    ...(Object.hasOwn(raw, '$delete') ? { delete: true } : {}),
  }
  return Object.keys(ops).length > 0 ? { traitOps: ops } : {}
}

const op = (name: string, value: unknown, change = (fields: Fields): Fields => fields): Fields => (isFields(value) ? { [name]: change(value) } : {})

const mapped = (fields: Fields, change: (value: unknown) => unknown): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, change(value)]))

/** Mixpanel's own names of what everyone else calls so; both are kept. */
const PLAIN_NAMES: FieldTable = [
  ['$email', 'email'], ['$name', 'name'], ['$first_name', 'firstName'], ['$last_name', 'lastName'], ['$phone', 'phone'], ['$avatar', 'avatar'],
  ['$created', 'createdAt'],
]

const withPlainNames = (fields: Fields): Fields => ({ ...placed(fields, PLAIN_NAMES), ...fields })

/** `0` and `1` say whether to look at the caller's address: they are none. */
const addressOf = (value: unknown): Fields => {
  const ip = textOf(value)
  return ip === undefined || ip === '0' || ip === '1' ? {} : { ip }
}
