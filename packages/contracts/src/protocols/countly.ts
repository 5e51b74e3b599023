import { type Fields, fieldsOf, given, isFields, scalarNumber, scalarText, textOf } from '../fields.ts'
import { countlyTraits } from './countly-traits.ts'
import { hashedId } from './hashed-id.ts'
import { type FieldTable, placed, says } from './place.ts'
import type { ProtocolReader } from './read-line.ts'
import { screenContext } from './screen-size.ts'

const METRICS: FieldTable = [
  ['_os', 'os.name'], ['_os_version', 'os.version'], ['_device', 'device.model'], ['_manufacturer', 'device.manufacturer'], ['_device_type', 'device.type'],
  ['_browser', 'browser.name'], ['_browser_version', 'browser.version'], ['_app_version', 'app.version'], ['_locale', 'locale'], ['_ua', 'userAgent'],
  ['_carrier', 'network.carrier'],
]
const REQUEST: FieldTable = [
  ['sdk_name', 'library.name'], ['sdk_version', 'library.version'], ['ip_address', 'ip'], ['country_code', 'location.country'], ['city', 'location.city'], ['campaign_id', 'campaign.name'],
]
const SEGMENTATION: FieldTable = [
  ['view', 'page.path'], ['name', 'page.path'], ['referrer', 'page.referrer'], ['utm_source', 'campaign.source'], ['utm_medium', 'campaign.medium'], ['utm_campaign', 'campaign.name'],
  ['utm_term', 'campaign.term'], ['utm_content', 'campaign.content'],
]
/** Parts of a request that are an event by themselves. */
const PARTS = ['crash', 'apm', 'consent'] as const
const SESSION = ['begin_session', 'end_session', 'session_duration'] as const
/** What has a place of its own in the event, and `rr`, the length of the SDK's queue. */
const READ: ReadonlySet<string> = new Set([
  ...REQUEST.map(([name]) => name), ...PARTS, ...SESSION, 'device_id', 'timestamp', 'metrics', 'event', 'position', 'user_details', 'old_device_id', 'av', 'rr', 'peer', 'messageId', 'anonymousId',
])
const EVENT_READ: ReadonlySet<string> = new Set(['key', 'count', 'sum', 'dur', 'segmentation', 'timestamp'])
const METRICS_READ: ReadonlySet<string> = new Set([...METRICS.map(([name]) => name), '_resolution'])
const VIEW = '[CLY]_view'
const DEVELOPER_SUPPLIED = '0'

/** One part of a request of Countly's SDKs, with what the request says of all: an event, user details, a new id, a session. */
export const readCountly: ProtocolReader = (raw) => {
  const event = isFields(raw['event']) ? raw['event'] : null
  const timestamp = given(event?.['timestamp']) ?? given(raw['timestamp'])
  return {
    messageId: timestamp === undefined ? undefined : hashedId(raw['device_id'], timestamp, raw['timestamp'], raw['position'], contentOf(raw)),
    timestamp,
    ...personOf(raw),
    channel: /nodejs/.test(textOf(raw['sdk_name']) ?? '') ? 'server' : undefined,
    ...(event ? readEvent(event, raw) : readPart(raw)),
  }
}

const contentOf = (raw: Fields): unknown =>
  raw['event'] ?? raw['user_details'] ?? raw['old_device_id'] ?? [...PARTS, ...SESSION].map((name) => raw[name] ?? null)

/** An id that the developer gave is a user's; one that the SDK made is a device's. */
const personOf = (raw: Fields): Fields =>
  scalarText(raw['t']) === DEVELOPER_SUPPLIED ? { userId: raw['device_id'] } : { anonymousId: raw['device_id'] }

const MOBILE = /android|ios|flutter|react/i

const readEvent = (event: Fields, raw: Fields): Fields => {
  const segmentation = fieldsOf(event['segmentation'])
  const { key, count, sum, dur } = event
  // The SDK sends a view twice: when it begins, and with its duration when it ends.
  const isView = key === VIEW && says(segmentation['visit'])
  const isCharge = says(segmentation['currency']) && says(sum) && !says(segmentation['revenue'])
  const properties = { count, ...(sum === undefined ? {} : { sum }), ...(dur === undefined ? {} : { dur }), ...segmentation, ...(isCharge ? { revenue: sum } : {}) }
  return {
    type: isView ? (MOBILE.test(textOf(raw['sdk_name']) ?? '') ? 'screen' : 'page') : 'track',
    ...(isView ? { name: segmentation['name'] } : { event: key }),
    properties, context: contextOf(raw, key === VIEW ? placed(segmentation, SEGMENTATION) : {}, without(event, EVENT_READ)),
  }
}

const readPart = (raw: Fields): Fields => {
  const context = contextOf(raw, {}, {})
  if (raw['old_device_id'] !== undefined) return { type: 'alias', userId: raw['device_id'], previousId: raw['old_device_id'], context }
  if (isFields(raw['user_details'])) return { type: 'identify', ...countlyTraits(raw['user_details']), context }
  const part = PARTS.find((name) => raw[name] !== undefined)
  if (part !== undefined) return { type: 'track', event: part, properties: isFields(raw[part]) ? raw[part] : { [part]: raw[part] }, context }
  const moment = SESSION.find((name) => raw[name] !== undefined)
  if (moment === undefined) return { type: 'identify', context }
  return { type: 'track', event: moment, properties: raw['session_duration'] === undefined ? {} : { session_duration: scalarNumber(raw['session_duration']) }, context }
}

const contextOf = (raw: Fields, page: Fields, event: Fields): Fields => {
  const metrics = fieldsOf(raw['metrics'])
  const more = without(metrics, METRICS_READ)
  return {
    ...placed(metrics, METRICS), ...(says(raw['av']) ? { app: { version: raw['av'] } } : {}), ...placed(raw, REQUEST), ...page, ...screenContext(metrics['_resolution']),
    countly: { ...without(raw, READ), ...event, ...(Object.keys(more).length > 0 ? { metrics: more } : {}) },
  }
}

const without = (fields: Fields, read: ReadonlySet<string>): Fields => Object.fromEntries(Object.entries(fields).filter(([name]) => !read.has(name)))
