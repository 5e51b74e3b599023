import { chanceFrom, type Chance } from '@millrace/contracts'

/** An event as its sender writes it, and what the sender meant by it. */
export interface SentEvent {
  readonly wire: Readonly<Record<string, unknown>>
  readonly meant: MeantEvent
}
export interface MeantEvent {
  readonly messageId: string
  readonly type: 'track' | 'page' | 'identify' | 'alias'
  readonly event: string
  readonly user: string | null
  readonly device: string | null
  readonly previous: string | null
  /** When it happened; it is never later than its receipt. */
  readonly at: number
  readonly traits: Readonly<Record<string, unknown>>
  readonly order: string | null
  /** As it was written. */
  readonly revenue: string | number | null
  readonly currency: string
  /** The property `数`. */
  readonly number: number
}
export interface Command {
  readonly op: 'merge' | 'unlink'
  readonly a: string
  readonly b: string
}
export interface Turn {
  readonly clock: number
  readonly events: readonly SentEvent[]
  /** Refused events that go along. */
  readonly wrong: readonly unknown[]
  readonly command?: Command
  /** Index of a rule whose segment is created (or edited) before the events. */
  readonly rule?: number
  readonly kill?: 'before' | 'during'
}
export interface History {
  readonly zone: string
  readonly turns: readonly Turn[]
  readonly endsAt: number
}

export const CURRENCY = 'CNY'
export const PURCHASE = 'Order Completed'
export const REFUND = 'Order Refunded'
export const VIEWED = 'Product Viewed'
export const ADDED = '加入购物车'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Each begins two days before its zone changes its clocks, where it does. */
const PLACES: readonly (readonly [zone: string, startsAt: number])[] = [
  ['Australia/Lord_Howe', Date.UTC(2026, 3, 2, 12)],
  ['America/New_York', Date.UTC(2026, 2, 6, 3)],
  ['Asia/Shanghai', Date.UTC(2026, 0, 30, 10)],
  ['America/New_York', Date.UTC(2026, 9, 30, 20)],
  ['UTC', Date.UTC(2026, 1, 26)],
]

/** The same seed, the same history. */
export const makeHistory = (seed: number, turns: number): History => {
  const chance = chanceFrom(seed)
  const [zone, startsAt] = PLACES[seed % PLACES.length]!
  const world: World = { chance, made: [], users: namesOf(chance, 8), devices: Array.from({ length: 9 }, (_, at) => `设备 ${at}`) }
  // Four days over all turns: hours, days and the change of the clocks are in it.
  const step = Math.floor((4 * 24 * HOUR) / turns / 1000) * 1000
  const list = Array.from({ length: turns }, (_, index): Turn => {
    const clock = startsAt + index * step
    const last = index === turns - 1
    const roll = chance.next()
    return {
      clock,
      events: last ? world.users.flatMap((user) => [visit(world, clock, { user }), visit(world, clock, { device: `${user}·设备` })]).concat(world.devices.map((device) => visit(world, clock, { device })))
        : Array.from({ length: 1 + chance.below(14) }, () => nextEvent(world, clock)),
      wrong: chance.next() < 0.2 ? [{ type: 'track', userId: 'u', messageId: `wrong-${index}` }, null] : [],
      ...(!last && index > 3 && chance.next() < 0.3 ? { command: nextCommand(world) } : {}),
      ...(index % 4 === 1 ? { rule: Math.floor(index / 4) } : {}),
      ...(roll < 0.04 ? { kill: 'before' as const } : roll < 0.08 ? { kill: 'during' as const } : {}),
    }
  })
  return { zone, turns: list, endsAt: startsAt + turns * step + 3 * HOUR }
}

interface World {
  readonly chance: Chance
  readonly users: readonly string[]
  readonly devices: readonly string[]
  readonly made: SentEvent[]
}

/** Names that would be read as something else if anybody took a key apart in the wrong place. */
const namesOf = (chance: Chance, count: number): readonly string[] =>
  ['小明', 'none:5', '1/user_id:x', '__proto__', "o'hara\\", 'anonymous_id:设备 1', 'ﬁancé🙂', '100% ${x}', 'a,b;c', '张 三'].sort(() => chance.next() - 0.5).slice(0, count)

const nextCommand = ({ chance, users, devices }: World): Command => {
  const key = (): string => (chance.next() < 0.6 ? `user_id:${chance.pick(users)}` : `anonymous_id:${chance.pick(devices)}`)
  const a = key()
  let b = key()
  while (a === b) b = key()
  return { op: chance.next() < 0.5 ? 'merge' : 'unlink', a, b }
}

const nextEvent = (world: World, clock: number): SentEvent => {
  const { chance, made } = world
  // A repeat, as a sender that lost the answer sends it.
  if (made.length > 0 && chance.next() < 0.08) return chance.pick(made)
  const event = newEvent(world, clock)
  made.push(event)
  return event
}

const newEvent = (world: World, clock: number): SentEvent => {
  const { chance, users, devices } = world
  const user = chance.pick(users)
  // Most devices belong to one user; some are shared.
  const device = chance.next() < 0.6 ? `${user}·设备` : chance.pick(devices)
  const ids = chance.pick<Ids>([{ user }, { user, device }, { device }, { device }, { user: 'null', device }])
  const roll = chance.next()
  if (roll < 0.15) return identify(world, clock, { user, device })
  if (roll < 0.18) return write(world, clock, { type: 'alias', event: 'Alias', user, previous: chance.pick(devices) })
  if (roll < 0.2) return write(world, clock, { type: 'track', event: VIEWED, user: 'undefined', device: '0' })
  if (roll < 0.45) return order(world, clock, ids)
  if (roll < 0.6) return write(world, clock, { type: 'track', event: ADDED, ...ids })
  if (roll < 0.7) return visit(world, clock, ids)
  return write(world, clock, { type: 'track', event: VIEWED, ...ids })
}

interface Ids {
  readonly user?: string
  readonly device?: string
}

const visit = (world: World, clock: number, ids: Ids): SentEvent => write(world, clock, { type: 'page', event: 'Page Viewed', ...ids })

const identify = (world: World, clock: number, ids: Ids): SentEvent => {
  const { chance } = world
  const traits = { [chance.pick(['plan', '城市', '__proto__', 'level'])]: chance.pick<unknown>(['pro', 'free', '杭州', 3, true, null]) }
  return write(world, clock, { type: 'identify', event: 'Identify', ...ids, traits })
}

const order = (world: World, clock: number, ids: Ids): SentEvent => {
  const { chance } = world
  const amount = chance.pick<string | number>([12.34565, '12.34575', 0.1, '0.2', 99, '1e2', 0.00005, 3.00015, 1234.5])
  return write(world, clock, {
    type: 'track', event: chance.next() < 0.75 ? PURCHASE : REFUND, ...ids, order: `订单${chance.below(40)}`, revenue: amount, currency: chance.next() < 0.8 ? CURRENCY : 'USD',
  })
}

type Told = Partial<Omit<MeantEvent, 'messageId' | 'at' | 'number'>> & { readonly type: MeantEvent['type']; readonly event: string }

const BLOCKED: ReadonlySet<string> = new Set(['null', 'undefined', '0'])
const usable = (id: string | null | undefined): string | null => (id === undefined || id === null || BLOCKED.has(id) ? null : id)

const write = ({ chance, made }: World, clock: number, told: Told): SentEvent => {
  const messageId = `m-${made.length}-${chance.below(1_000_000)}`
  // Whole seconds, and often the same ones: equal times are common where SDKs send in bursts.
  const late = chance.next() < 0.25 ? chance.below(60) * HOUR : chance.below(6) * 10_000
  const at = clock - late
  const number = chance.below(5)
  const { type, event, user, device, previous = null, traits = {}, order: orderId = null, revenue = null, currency = CURRENCY } = told
  const properties = { ...(orderId === null ? {} : { order_id: orderId }), ...(revenue === null ? {} : { revenue, currency }), 数: number }
  return {
    wire: {
      type, messageId, ...(type === 'track' ? { event } : {}), ...(user === undefined ? {} : { userId: chance.next() < 0.1 ? ` ${user} ` : user }),
      ...(device === undefined ? {} : { anonymousId: device }), ...(previous === null ? {} : { previousId: previous }),
      ...(type === 'identify' ? { traits } : { properties }), ...timeFields(chance, at, clock, late === 0),
    },
    meant: { messageId, type, event, user: normal(usable(user)), device: usable(device), previous, at, traits, order: orderId, revenue, currency, number },
  }
}

const normal = (id: string | null): string | null => id?.normalize('NFC') ?? null

/** The ways in which senders write one time. */
const timeFields = (chance: Chance, at: number, clock: number, isNow: boolean): object => {
  const iso = new Date(at).toISOString()
  const east = `${new Date(at + 8 * HOUR).toISOString().slice(0, 19)}+08:00`
  const plain = [iso, iso.replace('.000Z', 'Z'), iso.replace('.000Z', '.000999999Z'), east, iso.slice(0, 19).replace('T', ' '), at, String(at / 1000), at * 1000]
  const roll = chance.next()
  if (isNow && roll < 0.3) return {}
  // A sender whose clock is two hours ahead says so by its `sentAt`.
  if (roll < 0.1) return { timestamp: new Date(at + 2 * HOUR).toISOString(), sentAt: new Date(clock + 2 * HOUR).toISOString() }
  return { timestamp: chance.pick<unknown>(plain) }
}
