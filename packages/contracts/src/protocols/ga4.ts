import type { EventType } from '../event.ts'
import { type Fields, fieldsOf, given, isFields } from '../fields.ts'
import { hashedId } from './hashed-id.ts'
import { pageContext } from './page-address.ts'
import { besides, type FieldTable, merged, placed } from './place.ts'
import type { ProtocolReader } from './read-line.ts'
import { refunded } from './refunded.ts'

const TYPES: ReadonlyMap<unknown, EventType> = new Map([['page_view', 'page'], ['screen_view', 'screen']])

const PARAMS: FieldTable = [
  ['session_id', 'sessionId'], ['language', 'locale'], ['screen_resolution', 'screen.resolution'],
  ['source', 'campaign.source'], ['medium', 'campaign.medium'], ['campaign', 'campaign.name'], ['term', 'campaign.term'],
  ['content', 'campaign.content'], ['campaign_id', 'campaign.id'],
]
const BODY: FieldTable = [['ip_override', 'ip'], ['user_location', 'location'], ['user_agent', 'userAgent']]
const NOT_CONTEXT: ReadonlySet<string> = new Set([
  'client_id', 'app_instance_id', 'user_id', 'timestamp_micros', 'user_properties', 'events', 'event_index', 'messageId', 'peer',
  ...BODY.map(([name]) => name),
])

/** A line is the body with one of its events; without any it tells user properties alone. */
export const readGa4: ProtocolReader = (raw) => {
  const [event] = Array.isArray(raw['events']) ? (raw['events'] as readonly unknown[]) : []
  const shared = {
    anonymousId: given(raw['client_id']) ?? given(raw['app_instance_id']),
    userId: given(raw['user_id']),
    ...traitsOf(fieldsOf(raw['user_properties'])),
  }
  return isFields(event)
    ? { ...shared, ...readEvent(event, raw) }
    : { ...shared, type: 'identify', timestamp: given(raw['timestamp_micros']), context: bodyContext(raw) }
}

const readEvent = (event: Fields, raw: Fields): Fields => {
  const { name } = event
  const params = fieldsOf(event['params'])
  const type = TYPES.get(name) ?? 'track'
  const screen = given(params['screen_name']) ?? given(params['firebase_screen'])
  return {
    type,
    ...(type === 'track' ? { event: name } : {}),
    ...(type === 'screen' && screen !== undefined ? { name: screen } : {}),
    messageId: messageIdOf(event, raw, params),
    timestamp: timeOf(event, raw),
    properties: { ...orderOf(name, params), ...params },
    context: merged(contextOf(params), bodyContext(raw)),
  }
}

const timeOf = (event: Fields, raw: Fields): unknown => given(event['timestamp_micros']) ?? given(raw['timestamp_micros'])

/** A purchase counts once by its transaction; else an event is told from others by its time alone, where it has one. */
const messageIdOf = (event: Fields, raw: Fields, params: Fields): string | undefined => {
  const transaction = given(params['transaction_id'])
  if (event['name'] === 'purchase' && transaction !== undefined) return hashedId('purchase', transaction)
  const time = timeOf(event, raw)
  return time === undefined ? undefined : hashedId(raw['client_id'], raw['user_id'], time, raw['event_index'], event)
}

const CHARGES: ReadonlySet<unknown> = new Set(['purchase', 'in_app_purchase', 'ecommerce_purchase'])

const orderOf = (name: unknown, params: Fields): Fields => ({
  ...placed(params, [['transaction_id', 'order_id']]),
  ...(CHARGES.has(name) ? placed(params, [['value', 'revenue']]) : {}),
  ...(name === 'refund' ? placed({ amount: refunded(params['value']) }, [['amount', 'revenue']]) : {}),
})

const contextOf = (params: Fields): Fields =>
  merged(placed(params, PARAMS), pageContext({ url: params['page_location'], title: params['page_title'], referrer: params['page_referrer'] }))

/** Consent, device and whatever else is said once for all events, under its own name. */
const bodyContext = (raw: Fields): Fields => ({ ...besides(raw, NOT_CONTEXT), ...placed(raw, BODY) })

/** A property that is set to null is taken away. */
const traitsOf = (userProperties: Fields): Fields => {
  const values = Object.entries(userProperties).map(([name, property]) => [name, isFields(property) ? property['value'] : property] as const)
  const unset = values.filter(([, value]) => value === null).map(([name]) => name)
  return {
    traits: Object.fromEntries(values.filter(([, value]) => value !== null && value !== undefined)),
    ...(unset.length > 0 ? { traitOps: { unset } } : {}),
  }
}
