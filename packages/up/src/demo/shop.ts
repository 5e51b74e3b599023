import { shopChance, type ShopChance } from './chance.ts'
import { makePerson, momentOfDay, type Person } from './person.ts'
import { counterVisit, refundOf, webVisit, type Message } from './visit.ts'

const DAY_MS = 86_400_000

export interface ShopOptions {
  /** The same seed gives the same shop. */
  readonly seed: number
  readonly people: number
  readonly days: number
  /** Start of a UTC day in milliseconds; the shop's last event lies before it. */
  readonly until: number
}

export interface Shop {
  /** In the order in which they are sent: late ones after younger ones, repeats after their first. */
  readonly messages: readonly Message[]
  readonly totals: ShopTotals
}

/** What a query must answer once everything is in. */
export interface ShopTotals {
  readonly people: number
  /** Distinct messages. */
  readonly events: number
  /** Messages sent a second time, which must change nothing. */
  readonly repeats: number
  /** Messages sent at least a day after they happened. */
  readonly late: number
  readonly orders: number
  readonly refunds: number
  /** Sum of the orders, in fen. */
  readonly revenueFen: number
}

export const DEMO = { seed: 20_240_613, days: 90 } as const

/** The whole demo, made in memory: pure, about 25 messages a person. */
export const makeShop = (options: ShopOptions): Shop => {
  const chance = shopChance(options.seed)
  const from = options.until - options.days * DAY_MS
  const people = Array.from({ length: options.people }, (_, index) => makePerson(chance, index, options.days))
  const made = people.flatMap((person) => lifeOf(chance, person, from, options.until))
  const delivered = made.map((message) => delayed(chance, message, options.until))
  const repeats = delivered.filter(() => chance.happens(0.02)).map((message) => ({ ...message, sentAt: message.sentAt + chance.int(1000, 3_600_000) }))
  // Of two messages of one moment the earlier made goes first: sorting is stable.
  const messages = [...delivered, ...repeats].sort((a, b) => a.sentAt - b.sentAt)
  return { messages, totals: totalsOf(options.people, delivered, repeats.length) }
}

/** All that one person does in these days. */
const lifeOf = (chance: ShopChance, person: Person, from: number, until: number): readonly Message[] => {
  const messages: Message[] = []
  for (const [index, day] of person.visitDays.entries()) {
    const at = Math.min(from + day * DAY_MS + momentOfDay(chance), until - 2 * 3_600_000)
    const toCounter = person.kind === 'counter' || (person.kind === 'member' && index >= person.signsInOnVisit && chance.happens(0.12))
    messages.push(...(toCounter ? counterVisit : webVisit)(chance, person, index + 1, at))
  }
  const orders = messages.filter((message) => message.body['event'] === 'Order Completed')
  for (const order of orders) {
    const at = order.sentAt + chance.int(1, 9) * DAY_MS
    if (chance.happens(0.06) && at < until) messages.push(refundOf(chance, order, at))
  }
  return messages
}

/** A phone without a network keeps what happened, and tells it days later. */
const delayed = (chance: ShopChance, message: Message, until: number): Message => {
  if (!chance.happens(0.03)) return message
  return { ...message, sentAt: Math.min(message.sentAt + DAY_MS + chance.int(0, 3 * DAY_MS), until - 1) }
}

const totalsOf = (people: number, delivered: readonly Message[], repeats: number): ShopTotals => {
  const orders = delivered.filter((message) => message.body['event'] === 'Order Completed')
  return {
    people,
    events: delivered.length,
    repeats,
    late: delivered.filter((message) => message.sentAt - Date.parse(message.body.timestamp) >= DAY_MS).length,
    orders: orders.length,
    refunds: delivered.filter((message) => message.body['event'] === 'Order Refunded').length,
    revenueFen: orders.reduce((sum, order) => sum + Math.round(100 * Number((order.body['properties'] as { revenue: number }).revenue)), 0),
  }
}
