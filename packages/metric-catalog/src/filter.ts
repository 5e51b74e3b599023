import { ACTIVITY_TYPES, type EventChoice, type PropertyFilter } from '@millrace/contracts'
import type { MetricSchema } from './schema.ts'

/** Condition on rows of `events`: the event is one of those chosen. */
export const choiceSql = (schema: MetricSchema, choice: EventChoice): string =>
  [eventSql(schema, choice.event), ...choice.where.map((filter) => filterSql(schema, filter))].join(' AND ')

/** `*` is any activity; other names name the event, whatever its type. */
const eventSql = (schema: MetricSchema, event: string): string =>
  event === '*' ? `type IN (${ACTIVITY_TYPES.map(schema.text).join(', ')})` : `event = ${schema.text(event)}`

/** Condition on rows of `events` for one filter; a missing value is false, and true for the negative operators. */
const filterSql = (schema: MetricSchema, filter: PropertyFilter): string => {
  const name = schema.text(filter.property)
  switch (filter.op) {
    case 'eq':
      return equalsSql(schema, name, filter.value)
    case 'neq':
      return `NOT (${equalsSql(schema, name, filter.value)})`
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return holds(schema.numbers, name, `${SIGNS[filter.op]} ${schema.number(filter.value)}`)
    case 'contains':
      return containsSql(schema, name, filter.value)
    case 'not-contains':
      return `NOT (${containsSql(schema, name, filter.value)})`
    case 'in':
      return inSql(schema, name, filter.value)
    case 'not-in':
      return `NOT (${inSql(schema, name, filter.value)})`
    case 'exists':
      return schema.exists(name)
    case 'not-exists':
      return `NOT (${schema.exists(name)})`
    default:
      return unreachable(filter)
  }
}

const SIGNS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

/** A map reads '' or 0 for a key that it lacks, so each comparison asks first whether the key is there. */
const holds = (map: string, name: string, comparison: string): string =>
  `(mapContains(${map}, ${name}) AND ${map}[${name}] ${comparison})`

const equalsSql = (schema: MetricSchema, name: string, value: string | number | boolean): string => {
  if (typeof value === 'string') return holds(schema.texts, name, `= ${schema.text(value)}`)
  if (typeof value === 'number') return holds(schema.numbers, name, `= ${schema.number(value)}`)
  return holds(schema.booleans, name, `= ${value ? 1 : 0}`)
}

const containsSql = (schema: MetricSchema, name: string, part: string): string =>
  `(mapContains(${schema.texts}, ${name}) AND position(${schema.texts}[${name}], ${schema.text(part)}) > 0)`

const inSql = (schema: MetricSchema, name: string, values: readonly (string | number)[]): string => {
  const literals = values.map((value) => (typeof value === 'string' ? schema.text(value) : schema.number(value)))
  return holds(typeof values[0] === 'string' ? schema.texts : schema.numbers, name, `IN (${literals.join(', ')})`)
}

const unreachable = (filter: never): never => {
  throw new Error(`no such operator: ${JSON.stringify(filter)}`)
}
