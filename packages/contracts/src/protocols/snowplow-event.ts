import { type Fields, fieldsOf, isFields, scalarNumber, textOf } from '../fields.ts'
import { type FieldTable, placed, says } from './place.ts'
import { refunded } from './refunded.ts'

/** What Snowplow calls self-describing JSON: `iglu:vendor/name/format/version` and the data under it. */
export interface SelfDescribing {
  readonly schema: string
  readonly data: unknown
}

const STRUCTURED: FieldTable = [['se_ca', 'category'], ['se_ac', 'action'], ['se_la', 'label'], ['se_pr', 'property'], ['se_va', 'value']]
const TRANSACTION: FieldTable = [
  ['tr_id', 'order_id'], ['tr_af', 'affiliation'], ['tr_tt', 'revenue'], ['tr_tx', 'tax'], ['tr_sh', 'shipping'], ['tr_cu', 'currency'],
  ['tr_ci', 'city'], ['tr_st', 'state'], ['tr_co', 'country'],
]
/** Its price is part of the transaction's total: no revenue of its own. */
const ITEM: FieldTable = [
  ['ti_id', 'order_id'], ['ti_sk', 'sku'], ['ti_nm', 'name'], ['ti_ca', 'category'], ['ti_pr', 'price'], ['ti_qu', 'quantity'], ['ti_cu', 'currency'],
]
/** A tracker writes all as text. */
const NUMBERS: ReadonlySet<string> = new Set(['value', 'revenue', 'tax', 'shipping', 'price', 'quantity'])
/** Of a heartbeat: how far the page was scrolled. */
const PING: FieldTable = [['pp_mix', 'pp_mix'], ['pp_max', 'pp_max'], ['pp_miy', 'pp_miy'], ['pp_may', 'pp_may']]

/** Type, name and properties of an event. */
export const eventOf = (raw: Fields, entities: readonly SelfDescribing[]): Fields => {
  switch (raw['e']) {
    case 'pv': return { type: 'page', ...(says(raw['page']) ? { name: raw['page'] } : {}), properties: {} }
    case 'pp': return { type: 'track', event: 'page_ping', properties: placed(raw, PING) }
    case 'se': return { type: 'track', event: raw['se_ac'], properties: numbered(placed(raw, STRUCTURED)) }
    case 'tr': return { type: 'track', event: 'transaction', properties: numbered(placed(raw, TRANSACTION)) }
    case 'ti': return { type: 'track', event: 'transaction_item', properties: numbered(placed(raw, ITEM)) }
    case 'ue': return selfDescribed(raw, entities)
    default: return { type: 'track', event: raw['e'], properties: {} }
  }
}

const selfDescribed = (raw: Fields, entities: readonly SelfDescribing[]): Fields => {
  const inner = fieldsOf(selfDescribing(raw['ue_pr'], raw['ue_px'])?.data)
  const schema = textOf(inner['schema'])
  const data = isFields(inner['data']) ? inner['data'] : inner['data'] === undefined ? {} : { data: inner['data'] }
  const name = schema?.replace(/^iglu:/, '').split('/')[1] ?? schema
  const properties = { ...data, ...(schema === undefined ? {} : { schema }) }
  if (name === 'screen_view') return { type: 'screen', ...(says(data['name']) ? { name: data['name'] } : {}), properties }
  return { type: 'track', event: name, properties: { ...orderOf(data['type'], entities), ...properties } }
}

const ORDER: FieldTable = [['transaction_id', 'order_id'], ['currency', 'currency']]

/** The newer e-commerce events carry the order, or what of it is paid back, as an entity beside them. */
const orderOf = (action: unknown, entities: readonly SelfDescribing[]): Fields => {
  if (action !== 'transaction' && action !== 'refund') return {}
  const order = fieldsOf(entities.find(({ schema }) => schema.includes(`snowplow.ecommerce/${action}/`))?.data)
  const amount = action === 'refund' ? refunded(order['refund_amount']) : order['revenue']
  return { ...placed(order, ORDER), ...placed({ amount }, [['amount', 'revenue']]) }
}

const numbered = (properties: Fields): Fields =>
  Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, NUMBERS.has(name) && Number.isFinite(scalarNumber(value)) ? Number(value) : value]))

/** Plain, or in base64 as its URL-safe form. What cannot be read is none. */
export const selfDescribing = (plain: unknown, encoded: unknown): Fields | null => {
  const text = textOf(plain) ?? (textOf(encoded) === undefined ? undefined : Buffer.from(String(encoded), 'base64url').toString('utf8'))
  if (text === undefined) return null
  try {
    const parsed: unknown = JSON.parse(text)
    return isFields(parsed) ? parsed : null
  } catch {
    return null
  }
}
