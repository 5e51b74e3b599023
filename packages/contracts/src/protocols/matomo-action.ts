import type { EventType } from '../event.ts'
import { type Fields, given, isFields, scalarText, textOf } from '../fields.ts'
import { type FieldTable, placed } from './place.ts'

interface Action {
  readonly type: EventType
  readonly event?: unknown
  /** Copies under names that all protocols share. */
  readonly properties: Fields
}

const ORDER: FieldTable = [
  ['ec_id', 'order_id'], ['revenue', 'revenue'], ['ec_st', 'subtotal'], ['ec_tx', 'tax'], ['ec_sh', 'shipping'], ['ec_dt', 'discount'],
]
const EVENT: FieldTable = [['e_c', 'category'], ['e_n', 'label'], ['e_v', 'value']]
const CONTENT: FieldTable = [['c_n', 'content_name'], ['c_p', 'content_piece'], ['c_t', 'content_target'], ['c_i', 'content_interaction']]
const PRODUCT: FieldTable = [['_pks', 'product_id'], ['_pkn', 'product_name'], ['_pkc', 'product_category'], ['_pkp', 'price']]

const has = (raw: Fields, name: string): boolean => given(raw[name]) !== undefined

/** What a visitor did, by the parameters that only such a request has. Only events have a name on the wire; the rest get ours. */
export const matomoAction = (raw: Fields): Action => {
  if (has(raw, 'idgoal')) return scalarText(raw['idgoal']) === '0' ? orderOf(raw) : tracked('Goal Completed', raw, [['idgoal', 'goal_id'], ['revenue', 'value']])
  if (has(raw, 'e_c') && has(raw, 'e_a')) return tracked(raw['e_a'], raw, EVENT)
  if (has(raw, 'c_n')) return tracked(has(raw, 'c_i') ? 'Content Clicked' : 'Content Viewed', raw, CONTENT)
  if (has(raw, 'download')) return tracked('File Downloaded', raw, [['download', 'href']])
  if (has(raw, 'link')) return tracked('Link Clicked', raw, [['link', 'href']])
  if (has(raw, 'search')) return tracked('Site Searched', raw, [['search', 'query'], ['search_cat', 'category'], ['search_count', 'results']])
  if (has(raw, 'ca')) return tracked('Custom Action', raw, [])
  return { type: 'page', properties: numbers(placed(raw, PRODUCT)) }
}

const tracked = (event: unknown, raw: Fields, table: FieldTable): Action => ({ type: 'track', event, properties: numbers(placed(raw, table)) })

/** Without an order's id it is the state of a cart, whose amount nobody has paid. */
const orderOf = (raw: Fields): Action => {
  const products = productsOf(raw['ec_items'])
  const { properties } = tracked('', raw, has(raw, 'ec_id') ? ORDER : [['revenue', 'total'], ...ORDER.slice(2)])
  return { type: 'track', event: has(raw, 'ec_id') ? 'Order Completed' : 'Cart Updated', properties: { ...properties, ...(products ? { products } : {}) } }
}

/** Each item is a list: product id, name, category (or several), price, quantity. */
const productsOf = (value: unknown): readonly Fields[] | null => {
  const items = parsed(value)
  if (!Array.isArray(items)) return null
  return items.filter((item): item is readonly unknown[] => Array.isArray(item)).map(([product_id, name, category, price, quantity]) => ({
    product_id, name, category: Array.isArray(category) ? (category as readonly unknown[])[0] : category, price, quantity,
  }))
}

const parsed = (value: unknown): unknown => {
  if (isFields(value) || Array.isArray(value)) return value
  try {
    return JSON.parse(textOf(value) ?? 'null')
  } catch {
    return null
  }
}

const AMOUNTS: ReadonlySet<string> = new Set(['value', 'subtotal', 'tax', 'shipping', 'discount', 'price', 'results', 'total'])
const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/

/** Parameters are texts; what is a number by its meaning becomes one. Revenue stays as it was written: money is decimal text. */
const numbers = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, AMOUNTS.has(name) && NUMBER.test(scalarText(value)) ? Number(value) : value]))
