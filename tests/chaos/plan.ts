import { chanceFrom, type Chance } from '@millrace/contracts'

/** What the client does, decided beforehand: the disturbed and the undisturbed run do the same. */
export interface Plan {
  readonly startsAt: number
  readonly endsAt: number
  readonly batches: readonly PlannedBatch[]
}
export interface PlannedBatch {
  readonly clock: number
  readonly events: readonly PlannedEvent[]
  /** A segment to create before the batch is sent. */
  readonly segment?: { readonly name: string; readonly rule: unknown }
  /** A merge or a cut to ask for before the batch is sent: one at most, so that no two have the same time. */
  readonly command?: PlannedCommand
}
interface TypedKey {
  readonly type: 'user_id' | 'anonymous_id'
  readonly value: string
}
export interface PlannedCommand {
  readonly op: 'merge' | 'unlink'
  readonly a: TypedKey
  readonly b: TypedKey
}
export type PlannedEvent = Readonly<Record<string, unknown>> & { readonly messageId: string }

const STARTS_AT = Date.UTC(2026, 2, 1)
const MINUTE = 60_000
const REPEATS = 0.05
const BATCH_EVENTS = 100
/** Of the batches; with the aliases among the events, one event in fifty joins two keys on purpose. */
const COMMANDS = 0.9

const RULES = [
  { all: [{ did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 2, window: { last: '30m' } } }] },
  {
    all: [
      { did: { event: 'Product Viewed', measure: 'count', op: 'gte', value: 3, window: { last: '2h' } } },
      { not: { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 1, window: { last: '1h' } } } },
    ],
  },
  { any: [{ profile: { trait: 'plan', op: 'eq', value: 'pro' } }, { did: { event: 'Order Completed', measure: 'sum', property: 'revenue', op: 'gte', value: 300, window: { last: '6h' } } }] },
  { all: [{ did: { event: 'Product Viewed', measure: 'distinct-days', op: 'gte', value: 2, window: { last: '7d' } } }] },
]

/** `segments` are created evenly over the run; the first two before any event, so that some are backfilled and some not. */
export const makePlan = (seed: number, events: number, segments: number): Plan => {
  const [chance, commandChance] = [chanceFrom(seed), chanceFrom(seed + 1)]
  const world = { chance, people: Math.max(40, Math.floor(events / 60)), made: [] as PlannedEvent[] }
  const count = Math.ceil(events / BATCH_EVENTS)
  // Two hours at the least, so that windows of minutes and hours open and close in the run.
  const step = Math.max(20_000, Math.ceil((6 * 60 * MINUTE) / count))
  const createdAt = new Map(Array.from({ length: segments }, (_, index) => [index < 2 ? -index : Math.floor((index * count) / segments), index] as const))
  const batches = Array.from({ length: count }, (_, index): PlannedBatch => {
    const clock = STARTS_AT + index * step
    const command = commandChance.happens(COMMANDS) ? nextCommand(commandChance, world.people) : undefined
    const segment = createdAt.get(index === 0 ? 0 : index) ?? (index === 1 ? createdAt.get(-1) : undefined)
    return {
      clock,
      events: Array.from({ length: BATCH_EVENTS }, () => nextEvent(world, clock)),
      ...(segment === undefined ? {} : { segment: segmentAt(`segment ${segment}`, segment) }),
      ...(command ? { command } : {}),
    }
  })
  return { startsAt: STARTS_AT, endsAt: STARTS_AT + count * step + 40 * MINUTE, batches }
}

export const segmentAt = (name: string, index: number): NonNullable<PlannedBatch['segment']> => ({ name, rule: RULES[index % RULES.length] })

/** Mostly two users of a family of four become one, now and then a user is cut from a device. */
const nextCommand = (chance: Chance, people: number): PlannedCommand => {
  const person = chance.below(people)
  const a = { type: 'user_id', value: `u${person}` } as const
  if (chance.happens(0.2)) return { op: 'unlink', a, b: { type: 'anonymous_id', value: `d${person}-${chance.below(2)}` } }
  return { op: 'merge', a, b: { type: 'user_id', value: `u${person - (person % 4) + ((person + 1 + chance.below(3)) % 4)}` } }
}

interface World {
  readonly chance: Chance
  readonly people: number
  readonly made: PlannedEvent[]
}

const nextEvent = (world: World, clock: number): PlannedEvent => {
  const { chance, made } = world
  if (made.length > 0 && chance.next() < REPEATS) return chance.pick(made)
  const event = newEvent(world, clock, made.length)
  made.push(event)
  return event
}

const newEvent = ({ chance, people }: World, clock: number, index: number): PlannedEvent => {
  const person = chance.below(people)
  const user = `u${person}`
  // One device in ten is shared with the next person.
  const device = `d${chance.next() < 0.1 ? (person + 1) % people : person}-${chance.below(2)}`
  const late = chance.next() < 0.1 ? chance.below(48 * 60) * MINUTE : chance.below(20) * 1000
  const base = { messageId: `m${index}`, timestamp: new Date(clock - late).toISOString() }
  const roll = chance.next()
  if (roll < 0.45) return { ...base, type: 'track', event: 'Product Viewed', anonymousId: device, properties: { sku: `s${chance.below(50)}` } }
  if (roll < 0.7) return { ...base, type: 'track', event: 'Product Viewed', userId: user, anonymousId: device }
  if (roll < 0.88) {
    const revenue = (1 + chance.below(20_000)) / 100
    return { ...base, type: 'track', event: 'Order Completed', userId: user, properties: { order_id: `o${index}`, revenue, currency: 'CNY' } }
  }
  if (roll < 0.98) return { ...base, type: 'identify', userId: user, anonymousId: device, traits: { plan: chance.pick(['pro', 'free']), level: chance.below(5) } }
  if (roll < 0.99) return { ...base, type: 'alias', userId: user, previousId: `d${person}-1` }
  return { ...base, type: 'track', event: 'Product Viewed', userId: 'null', anonymousId: device }
}

/** In an order that the chance gives. */
export const shuffled = <Item>(items: readonly Item[], chance: Chance): readonly Item[] =>
  items.map((item) => ({ item, at: chance.next() })).sort((a, b) => a.at - b.at).map(({ item }) => item)
