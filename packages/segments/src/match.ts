import { ACTIVITY_TYPES, type CanonicalEvent, type DidLeaf, type PropertyFilter, RULE_BOUNDS, unitsOf } from '@millrace/contracts'
import type { ProfileCondition } from '@millrace/contracts'

/** Amounts in 1/10000. */
const UNITS = 10_000

/** Whether an event belongs to a leaf: its name (or any activity) and all filters. The window is not looked at. */
export const matchesEvent = (leaf: DidLeaf, event: CanonicalEvent): boolean =>
  (leaf.event === '*' ? ACTIVITY_TYPES.includes(event.type) : leaf.event === event.event) &&
  leaf.where.every((filter) => matchesValue(filter, propertyOf(event, filter.property)))

/**
 * What an event adds to a leaf: 0 for counts and days; for a sum its amount in 1/10000, or null where it has none
 * (no number, money of another currency, or beyond the bound), and then the event adds nothing.
 */
export const amountOf = (leaf: DidLeaf, event: CanonicalEvent): number | null => {
  if (leaf.measure !== 'sum') return 0
  const units = leaf.currency === null ? numberUnits(propertyOf(event, leaf.property!)) : revenueUnits(leaf.currency, event)
  return units !== null && Math.abs(units) <= RULE_BOUNDS.amountMax * UNITS ? units : null
}

/**
 * What a filter or a sum reads: properties, and of identify and group events the traits, as in the warehouse.
 * An own member only: `constructor` is no property of an event.
 */
const propertyOf = ({ type, properties, traits }: CanonicalEvent, name: string): unknown => {
  const fields = type === 'identify' || type === 'group' ? traits : properties
  return Object.hasOwn(fields, name) ? finite(fields[name]) : undefined
}

/** `1e400` is JSON, and no number that a store could keep: it becomes null there, so it is null here. */
export const finite = (value: unknown): unknown => (typeof value === 'number' && !Number.isFinite(value) ? null : value)

const revenueUnits = (currency: string, event: CanonicalEvent): number | null => {
  const units = event.revenue === null || event.currency !== currency ? null : unitsOf(event.revenue)
  return units === null ? null : Number(units)
}

/** Half up, by the same three floating-point operations in SQL, so that both give the same whole number. */
const numberUnits = (value: unknown): number | null => (typeof value === 'number' ? toUnits(value) : null)

/** A number of a rule or a property in 1/10000. */
export const toUnits = (value: number): number => Math.floor(value * UNITS + 0.5)

/** A condition on one value, of an event's property or a person's trait: the same operators mean the same. */
export const matchesValue = (condition: PropertyFilter | ProfileCondition, found: unknown): boolean => {
  switch (condition.op) {
    case 'eq':
      return found === condition.value
    case 'neq':
      return found !== condition.value
    case 'gt':
      return typeof found === 'number' && found > condition.value
    case 'gte':
      return typeof found === 'number' && found >= condition.value
    case 'lt':
      return typeof found === 'number' && found < condition.value
    case 'lte':
      return typeof found === 'number' && found <= condition.value
    case 'contains':
      return typeof found === 'string' && found.includes(condition.value)
    case 'not-contains':
      return !(typeof found === 'string' && found.includes(condition.value))
    case 'starts-with':
      return typeof found === 'string' && found.startsWith(condition.value)
    case 'ends-with':
      return typeof found === 'string' && found.endsWith(condition.value)
    case 'in':
      return (condition.value as readonly unknown[]).includes(found)
    case 'not-in':
      return !(condition.value as readonly unknown[]).includes(found)
    case 'exists':
      return isThere(found)
    case 'not-exists':
      return !isThere(found)
  }
}

/** null says that a value was taken away. */
const isThere = (found: unknown): boolean => found !== undefined && found !== null
