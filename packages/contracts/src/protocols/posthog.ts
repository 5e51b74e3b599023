import type { EventType } from '../event.ts'
import { type Fields, fieldsOf, given, isFields } from '../fields.ts'
import { groupContext } from './groups.ts'
import { type FieldTable, placed } from './place.ts'
import type { ProtocolReader } from './read-line.ts'

const TYPES: ReadonlyMap<unknown, EventType> = new Map([
  ['$pageview', 'page'], ['$screen', 'screen'], ['$identify', 'identify'], ['$set', 'identify'], ['$set_once', 'identify'],
  ['$unset', 'identify'], ['$delete_person_property', 'identify'], ['$create_alias', 'alias'], ['$merge_dangerously', 'alias'],
  ['$groupidentify', 'group'],
])

const CONTEXT: FieldTable = [
  ['$lib', 'library.name'], ['$lib_version', 'library.version'], ['$session_id', 'sessionId'], ['$ip', 'ip'],
  ['$current_url', 'page.url'], ['$pathname', 'page.path'], ['$referrer', 'page.referrer'], ['$referring_domain', 'page.referringDomain'],
  ['title', 'page.title'], ['$title', 'page.title'],
  ['utm_source', 'campaign.source'], ['utm_medium', 'campaign.medium'], ['utm_campaign', 'campaign.name'],
  ['utm_term', 'campaign.term'], ['utm_content', 'campaign.content'],
]

/** What a server's SDK says here is of the server, not of the user. */
const DEVICE: FieldTable = [
  ['$raw_user_agent', 'userAgent'], ['$user_agent', 'userAgent'], ['$browser_language', 'locale'], ['$locale', 'locale'], ['$timezone', 'timezone'],
  ['$os', 'os.name'], ['$os_name', 'os.name'], ['$os_version', 'os.version'], ['$browser', 'browser.name'], ['$browser_version', 'browser.version'],
  ['$device_type', 'device.type'], ['$device_model', 'device.model'], ['$device_manufacturer', 'device.manufacturer'], ['$device_name', 'device.name'],
  ['$screen_width', 'screen.width'], ['$screen_height', 'screen.height'],
  ['$app_name', 'app.name'], ['$app_version', 'app.version'], ['$app_build', 'app.build'], ['$app_namespace', 'app.namespace'],
]

/** What the browser SDK sends as the id of all visitors when it may keep nothing on their devices. */
export const POSTHOG_COOKIELESS = '$posthog_cookieless'

/** An event of PostHog: `event`, `properties`, `distinct_id` on either level, and `$set`, `$set_once`, `$unset` on either level. */
export const readPosthog: ProtocolReader = (raw) => {
  const properties = fieldsOf(raw['properties'])
  const type = TYPES.get(raw['event']) ?? 'track'
  const timestamp = given(raw['timestamp']) ?? given(properties['$time'])
  return {
    type,
    ...(type === 'track' ? { event: raw['event'] } : {}),
    ...(type === 'screen' ? { name: properties['$screen_name'] } : {}),
    ...idsOf(type, raw, properties),
    messageId: given(raw['uuid']) ?? given(properties['$insert_id']),
    timestamp,
    // With both times the first is kept as it is.
    ...(isTrustedClock(raw, properties) ? { originalTimestamp: timestamp } : {}),
    properties,
    ...traitsOf(type, raw, properties),
    context: contextOf(raw, properties),
  }
}

/** Of an old client that tells how long ago its event was, ingest has made a time of our own clock. */
const isTrustedClock = (raw: Fields, properties: Fields): boolean =>
  typeof raw['offset'] === 'number' || properties['$ignore_sent_at'] === true || fieldsOf(raw['options'])['disable_skew_correction'] === true

const idsOf = (type: EventType, raw: Fields, properties: Fields): Fields => {
  const id = given(raw['distinct_id']) ?? given(properties['distinct_id'])
  if (type === 'alias') return { userId: given(properties['distinct_id']) ?? id, previousId: given(properties['alias']) }
  const person = personOf(raw, properties, id)
  if (type !== 'group') return person
  // Only the browser SDK names the person who is in the group: the others make an id up.
  return { ...(typeof properties['$is_identified'] === 'boolean' ? person : { userId: '' }), groupId: properties['$group_key'] }
}

const personOf = (raw: Fields, properties: Fields, id: unknown): Fields => {
  // Ingest names such a visitor by `anonymousId`.
  if (id === POSTHOG_COOKIELESS) return {}
  const device = given(properties['$device_id'])
  const anonymous = given(properties['$anon_distinct_id'])
  if (raw['event'] !== '$identify' && anonymous === undefined && !isKnown(raw, properties, id, device)) return { anonymousId: id }
  return { userId: id, anonymousId: anonymous ?? (device === id ? undefined : device) }
}

/** Whether an id is that of a user: the browser SDK says so; another's is, unless it asks for no profile. */
const isKnown = (raw: Fields, properties: Fields, id: unknown, device: unknown): boolean => {
  const told = properties['$is_identified']
  if (typeof told === 'boolean') return told
  const profile = properties['$process_person_profile'] ?? fieldsOf(raw['options'])['process_person_profile']
  return id !== device && profile !== false
}

const traitsOf = (type: EventType, raw: Fields, properties: Fields): Fields => {
  if (type === 'group') return { traits: fieldsOf(properties['$group_set']) }
  const setOnce = { ...fieldsOf(raw['$set_once']), ...fieldsOf(properties['$set_once']) }
  const unset = [...namesOf(raw['$unset']), ...namesOf(properties['$unset'])]
  const ops = { ...(Object.keys(setOnce).length > 0 ? { setOnce } : {}), ...(unset.length > 0 ? { unset } : {}) }
  return {
    traits: { ...fieldsOf(raw['$set']), ...fieldsOf(properties['$set']) },
    ...(Object.keys(ops).length > 0 ? { traitOps: ops } : {}),
  }
}

const namesOf = (value: unknown): readonly string[] => {
  const names = Array.isArray(value) ? (value as readonly unknown[]) : isFields(value) ? Object.keys(value) : []
  return names.filter((name) => typeof name === 'string')
}

const contextOf = (raw: Fields, properties: Fields): Fields => ({
  ...placed(properties, properties['$is_server'] === true ? CONTEXT : ALL),
  ...groupContext(properties['$groups']),
  ...placed(raw, [['session_id', 'sessionId']]),
  ...(given(properties['$group_type']) === undefined ? {} : { groupType: properties['$group_type'] }),
  ...(Object.keys(fieldsOf(raw['options'])).length > 0 ? { options: raw['options'] } : {}),
})

const ALL: FieldTable = [...CONTEXT, ...DEVICE]
