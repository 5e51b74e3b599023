import type { EventType } from '../event.ts'
import { type Fields, fieldsOf, given, textOf } from '../fields.ts'
import { unitsOf } from '../revenue.ts'
import { groupContext } from './groups.ts'
import { hashedId } from './hashed-id.ts'
import { type FieldTable, merged, placed, says } from './place.ts'
import type { ProtocolReader } from './read-line.ts'

const TYPES: ReadonlyMap<unknown, EventType> = new Map([['[Amplitude] Page Viewed', 'page'], ['$identify', 'identify'], ['$groupidentify', 'group']])

const TOP: FieldTable = [
  ['os_name', 'os.name'], ['os_version', 'os.version'], ['platform', 'device.type'], ['device_model', 'device.model'], ['device_brand', 'device.brand'],
  ['device_manufacturer', 'device.manufacturer'], ['device_family', 'device.family'], ['carrier', 'network.carrier'], ['language', 'locale'],
  ['user_agent', 'userAgent'], ['app_version', 'app.version'], ['version_name', 'app.version'], ['city', 'location.city'],
  ['region', 'location.region'], ['country', 'location.country'], ['location_lat', 'location.latitude'], ['location_lng', 'location.longitude'],
  ['adid', 'device.advertisingId'], ['idfa', 'device.advertisingId'], ['idfv', 'device.id'],
]

const IN_PROPERTIES: FieldTable = [
  ['[Amplitude] Page Location', 'page.url'], ['[Amplitude] Page URL', 'page.url'], ['[Amplitude] Page Path', 'page.path'],
  ['[Amplitude] Page Title', 'page.title'], ['referrer', 'page.referrer'], ['[Amplitude] Previous Page Location', 'page.referrer'],
  ['referring_domain', 'page.referringDomain'], ['utm_source', 'campaign.source'], ['utm_medium', 'campaign.medium'],
  ['utm_campaign', 'campaign.name'], ['utm_term', 'campaign.term'], ['utm_content', 'campaign.content'],
]

/** Read elsewhere; every other field of an event is kept in `context.amplitude`. */
const READ: ReadonlySet<string> = new Set([
  ...TOP.map(([from]) => from), 'user_id', 'device_id', 'event_type', 'event_properties', 'user_properties', 'group_properties', 'groups', 'time',
  'insert_id', 'session_id', 'library', 'ip', 'peer', 'messageId', 'anonymousId',
])

/** An event of Amplitude's HTTP API, version 2. */
export const readAmplitude: ProtocolReader = (raw) => {
  const type = TYPES.get(raw['event_type']) ?? 'track'
  const channel = CHANNELS.get(textOf(raw['platform'])?.toLowerCase() ?? '')
  return {
    type,
    ...(type === 'track' ? { event: raw['event_type'] } : {}),
    ...idsOf(type, raw),
    messageId: given(raw['insert_id']) ?? counted(raw),
    timestamp: given(raw['time']),
    properties: propertiesOf(raw),
    ...traitsOf(raw[type === 'group' ? 'group_properties' : 'user_properties']),
    ...(channel === undefined ? {} : { channel }),
    context: contextOf(type, raw),
  }
}

const CHANNELS: ReadonlyMap<string, string> = new Map([['web', 'web'], ['ios', 'mobile'], ['android', 'mobile']])

const idsOf = (type: EventType, raw: Fields): Fields => {
  const [userId, anonymousId] = [given(raw['user_id']), given(raw['device_id'])]
  if (type !== 'group') return { userId, anonymousId }
  const [groupId] = Object.values(fieldsOf(raw['groups'])).flat()
  return { userId: userId === undefined && anonymousId === undefined ? '' : userId, anonymousId, groupId }
}

/** An SDK without insert ids counts the events of a device. */
const counted = (raw: Fields): string | undefined =>
  given(raw['event_id']) === undefined || given(raw['time']) === undefined ? undefined : hashedId(raw['device_id'], raw['user_id'], raw['event_id'], raw['time'])

const propertiesOf = (raw: Fields): Fields => {
  const properties = fieldsOf(raw['event_properties'])
  const revenue = revenueIn(raw, properties)
  const currency = given(properties['$currency']) ?? given(raw['currency'])
  return {
    ...(revenue === undefined ? {} : { revenue }),
    ...(currency === undefined ? {} : { currency }),
    ...properties,
  }
}

/** What was paid: said as a whole, else price × quantity, with one as the quantity where none is said. */
const revenueIn = (raw: Fields, properties: Fields): unknown =>
  given(properties['$revenue']) ?? given(raw['revenue']) ??
  times(properties['$price'], properties['$quantity']) ?? times(raw['price'], raw['quantity'])

/** Exact, as decimal text with 8 fraction digits. */
const times = (price: unknown, quantity: unknown): string | undefined => {
  const [a, b] = [unitsOf(price), unitsOf(given(quantity) ?? 1)]
  if (a === null || b === null) return undefined
  const product = a * b
  const digits = (product < 0n ? -product : product).toString().padStart(9, '0')
  return `${product < 0n ? '-' : ''}${digits.slice(0, -8)}.${digits.slice(-8)}`.replace(/\.?0+$/, '')
}

/** Names without a dollar sign are set. `-` is what an operation says that needs no value. */
const traitsOf = (value: unknown): Fields => {
  const changes = fieldsOf(value)
  const plain = Object.entries(changes).filter(([name]) => !OPS.has(name))
  return {
    traits: { ...Object.fromEntries(plain), ...fieldsOf(changes['$set']) },
    traitOps: {
      setOnce: changes['$setOnce'],
      add: changes['$add'],
      append: joined(listed(changes['$prepend']), listed(changes['$append'])),
      union: joined(listed(changes['$preInsert']), listed(changes['$postInsert'])),
      remove: listed(changes['$remove']),
      unset: Object.keys(fieldsOf(changes['$unset'])),
      delete: Object.hasOwn(changes, '$clearAll'),
    },
  }
}

const OPS: ReadonlySet<string> = new Set([
  '$set', '$setOnce', '$add', '$append', '$prepend', '$preInsert', '$postInsert', '$remove', '$unset', '$clearAll',
])

const listed = (value: unknown): Fields =>
  Object.fromEntries(Object.entries(fieldsOf(value)).map(([name, one]) => [name, Array.isArray(one) ? one : [one]]))

const joined = (first: Fields, second: Fields): Fields => {
  const sum: Record<string, unknown> = { ...first, ...second }
  for (const name in first) if (Object.hasOwn(second, name)) sum[name] = [...(first[name] as unknown[]), ...(second[name] as unknown[])]
  return sum
}

const contextOf = (type: EventType, raw: Fields): Fields => {
  const others = Object.entries(raw).filter(([name, value]) => !READ.has(name) && value !== null)
  const ip = textOf(raw['ip'])
  const session = given(raw['session_id'])
  return {
    ...merged(placed(raw, TOP), placed(fieldsOf(raw['event_properties']), IN_PROPERTIES)),
    ...libraryOf(raw['library']),
    ...(ip === undefined || ip === '$remote' ? {} : { ip }),
    ...(session === undefined || session === -1 ? {} : { sessionId: session }),
    ...groupContext(raw['groups']),
    ...(type === 'group' ? { groupType: Object.keys(fieldsOf(raw['groups']))[0] } : {}),
    ...(others.length > 0 ? { amplitude: Object.fromEntries(others) } : {}),
  }
}

/** `amplitude-ts/2.47.0`. */
const libraryOf = (value: unknown): Fields => {
  if (!says(value) || typeof value !== 'string') return {}
  const [name, version] = value.split('/')
  return { library: { name, ...(version ? { version } : {}) } }
}
