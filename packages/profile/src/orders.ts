import { type CanonicalEvent, unitsOf } from '@millrace/contracts'
import { bounds, clip, earliest, later, markPartial, type Completed, type OrderRow, type ProfileState, type SumRow } from './state.ts'
import { join, put } from './tables.ts'

/** Event names of Segment's e-commerce spec that an order is made of. */
export const ORDER_EVENTS: Readonly<Record<string, OrderEvent>> = {
  'Order Completed': 'completed',
  'Order Updated': 'updated',
  'Order Refunded': 'refunded',
  'Order Cancelled': 'cancelled',
}
type OrderEvent = 'completed' | 'updated' | 'refunded' | 'cancelled'

/**
 * Orders by their id, so that one that is sent again counts once; without an id each event is its own order.
 * The last word on an order says what it was worth; refunds add up; a refund or cancellation without an amount
 * takes the whole order back. Money of other events is kept apart, since it is often the same money again.
 */
export const includeOrder = (state: ProfileState, event: CanonicalEvent): void => {
  if (event.type !== 'track') return
  const kind = Object.hasOwn(ORDER_EVENTS, event.event) ? ORDER_EVENTS[event.event] : undefined
  if (kind === undefined) {
    const units = unitsOf(event.revenue)
    if (units !== null) includeSum(state, event.currency, units)
    return
  }
  const row = rowFrom(orderIdOf(state, event), kind, event)
  if (put<OrderRow>(state.orders, row[0], bounds.orders, (before) => (before ? addOrders(before, row) : row)))
    markPartial(state, 'orders')
}

const rowFrom = (id: string, kind: OrderEvent, event: CanonicalEvent): OrderRow => {
  const units = unitsOf(event.revenue)
  switch (kind) {
    case 'completed': return [id, wordOf(event, units ?? 0n), event.timestamp, [], false]
    case 'updated': return [id, wordOf(event, amountIn(event)), null, [], false]
    case 'cancelled': return [id, null, null, [], true]
    case 'refunded':
      // A refund is negative in the event; kept is what was given back.
      return units === null ? [id, null, null, [], true] : [id, null, null, [[event.currency, String(-units), 1]], false]
  }
}

const wordOf = (event: CanonicalEvent, units: bigint | null): Completed | null =>
  units === null ? null : [event.timestamp, event.messageId, String(units), event.currency]

/** An update has no revenue of its own, since the order has; what it says the order is worth stands in the same places. */
const amountIn = ({ properties }: CanonicalEvent): bigint | null =>
  unitsOf(properties['revenue']) ?? unitsOf(properties['total']) ?? unitsOf(properties['value'])

const orderIdOf = (state: ProfileState, event: CanonicalEvent): string => {
  for (const name of ['order_id', 'orderId', 'transaction_id', 'transactionId']) {
    const value = event.properties[name]
    if (typeof value === 'string' && value.trim() !== '') return `=${clip(state, 'orders', value.trim())}`
    if (typeof value === 'number') return `=${value}`
  }
  return `#${event.messageId}`
}

export const addOrders = (a: OrderRow, b: OrderRow): OrderRow => [
  a[0],
  lastWord(a[1], b[1]),
  earliest(a[2], b[2]),
  join(a[3], b[3], bounds.currencies, addSums).rows,
  a[4] || b[4],
]

const lastWord = (a: Completed | null, b: Completed | null): Completed | null =>
  a === null ? b : b === null ? a : later(a[0], a[1], a, b[0], b[1], b) >= 0 ? a : b

const includeSum = (state: ProfileState, currency: string, units: bigint): void => {
  const row: SumRow = [currency, String(units), 1]
  if (put<SumRow>(state.other, currency, bounds.currencies, (before) => (before ? addSums(before, row) : row)))
    markPartial(state, 'revenue')
}

export const addSums = (a: SumRow, b: SumRow): SumRow => [a[0], String(BigInt(a[1]) + BigInt(b[1])), a[2] + b[2]]
