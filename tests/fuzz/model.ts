import type { MeantEvent } from './history.ts'
import { PURCHASE, REFUND } from './history.ts'

/** What Millrace must answer, worked out in the plainest way from everything at once. */
export interface Person {
  /** `user_id:…`, `anonymous_id:…`, sorted. */
  readonly keys: readonly string[]
  readonly events: readonly MeantEvent[]
}
export interface TimedCommand {
  readonly op: 'merge' | 'unlink'
  readonly a: string
  readonly b: string
  readonly at: number
}

export const filedKey = ({ user, device }: MeantEvent): string | null => (user !== null ? `user_id:${user}` : device !== null ? `anonymous_id:${device}` : null)

/** Events that count: of those with the same id and the same filed key the first. */
export const distinct = (sent: readonly MeantEvent[]): readonly MeantEvent[] => [...new Map(sent.map((event) => [`${filedKey(event)} ${event.messageId}`, event])).values()]

interface Link {
  readonly pair: string
  readonly a: string
  readonly b: string
  readonly at: number
  readonly id: string
}

const MERGED_PERSONS_MAX = 10

/** Who is whom: links of events in the order of their times, two users never by implication; then what was asked for. */
export const peopleOf = (events: readonly MeantEvent[], commands: readonly TimedCommand[]): readonly Person[] => {
  const seen = new Set(events.filter(({ type, user }) => user !== null && type !== 'alias').map(({ user }) => `user_id:${user}`))
  for (const { op, a, b } of commands) if (op === 'merge') for (const key of [a, b]) if (isUser(key)) seen.add(key)
  const node = (key: string): string => (isUser(key) && !seen.has(key) ? `anonymous_id:${key.slice(8)}` : key)
  const cuts = new Map<string, number>()
  for (const { op, a, b, at } of commands) if (op === 'unlink') cuts.set(pairOf(node(a), node(b)), at)
  const implied: Link[] = []
  const explicit: Link[] = []
  const offer = (into: Link[], x: string, y: string, at: number, id: string): void => {
    const [a, b] = [node(x), node(y)]
    const pair = pairOf(a, b)
    if (a !== b && at > (cuts.get(pair) ?? -1)) into.push({ pair, a, b, at, id })
  }
  for (const event of events) {
    const { type, user, device, previous, at, messageId } = event
    if (type === 'alias' && user !== null && previous !== null) {
      const [x, y] = [node(`user_id:${previous}`), node(`user_id:${user}`)]
      offer(isUser(x) && isUser(y) ? explicit : implied, x, y, at, messageId)
    } else if (type !== 'alias' && user !== null && device !== null) offer(implied, `user_id:${user}`, `anonymous_id:${device}`, at, messageId)
  }
  for (const { op, a, b, at } of commands) if (op === 'merge') offer(explicit, a, b, at, '')
  const group = new Map<string, Set<string>>()
  const groupOf = (key: string): Set<string> => group.get(key) ?? group.set(key, new Set([key])).get(key)!
  const unite = (x: Set<string>, y: Set<string>): void => {
    if (x === y) return
    for (const key of y) group.set(key, x.add(key))
  }
  for (const { a, b } of implied.sort(byTime)) {
    const [x, y] = [groupOf(a), groupOf(b)]
    if (![x, y].every((keys) => [...keys].some(isUser))) unite(x, y)
  }
  const parts = new Map<Set<string>, number>()
  for (const { a, b } of explicit.sort(byTime)) {
    const [x, y] = [groupOf(a), groupOf(b)]
    const count = (parts.get(x) ?? 1) + (parts.get(y) ?? 1)
    if (x === y || count > MERGED_PERSONS_MAX) continue
    unite(x, y)
    parts.set(x, count)
  }
  const byGroup = new Map<Set<string>, MeantEvent[]>()
  for (const event of events) {
    const key = filedKey(event)
    if (key === null) continue
    const own = groupOf(node(key))
    byGroup.set(own, [...(byGroup.get(own) ?? []), event])
  }
  return [...byGroup].map(([keys, own]) => ({ keys: [...keys].sort(), events: own }))
}

const isUser = (key: string): boolean => key.startsWith('user_id:')
const pairOf = (a: string, b: string): string => (a < b ? `${a}\n${b}` : `${b}\n${a}`)
const byTime = (x: Link, y: Link): number => x.at - y.at || (x.id < y.id ? -1 : x.id > y.id ? 1 : 0) || (x.pair < y.pair ? -1 : 1)

const latestFirst = (x: MeantEvent, y: MeantEvent): number => y.at - x.at || (x.messageId < y.messageId ? 1 : -1)

export const traitsOf = ({ events }: Person): Readonly<Record<string, unknown>> => {
  const traits = new Map<string, unknown>()
  for (const event of [...events].sort(latestFirst)) for (const [name, value] of Object.entries(event.traits)) if (!traits.has(name)) traits.set(name, value)
  return Object.fromEntries([...traits].filter(([, value]) => value !== null))
}

/** In 1/10000, half to even. */
export const unitsOf = (amount: string | number): bigint => {
  const [mantissa = '', exponent = '0'] = String(amount).toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const shift = 4 + Number(exponent) - fraction.length
  const digits = BigInt(whole + fraction)
  if (shift >= 0) return digits * 10n ** BigInt(shift)
  const divisor = 10n ** BigInt(-shift)
  const [quotient, rest] = [digits / divisor, (digits % divisor) * 2n]
  return rest > divisor || (rest === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient
}

export const revenueOf = ({ event, revenue }: MeantEvent): bigint | null =>
  revenue === null ? null : event === REFUND ? -unitsOf(revenue) : unitsOf(revenue)

export const moneyText = (units: bigint): string => {
  const size = (units < 0n ? -units : units).toString().padStart(5, '0')
  const fraction = size.slice(-4).replace(/0+$/, '')
  return `${units < 0n ? '-' : ''}${size.slice(0, -4)}${fraction && `.${fraction}`}`
}

/** Net consumption by currency: the last word on each order, without what was given back. */
export const netOf = ({ events }: Person): Readonly<Record<string, string>> => {
  const net = new Map<string, bigint>()
  const add = (currency: string, units: bigint): void => void net.set(currency, (net.get(currency) ?? 0n) + units)
  const told = new Set<string>()
  for (const event of [...events].sort(latestFirst)) {
    if (event.order === null || event.revenue === null) continue
    if (event.event === REFUND) add(event.currency, -unitsOf(event.revenue))
    else if (event.event === PURCHASE && !told.has(event.order)) {
      told.add(event.order)
      add(event.currency, unitsOf(event.revenue))
    }
  }
  return Object.fromEntries([...net].map(([currency, units]) => [currency, moneyText(units)]).sort())
}

// ── days of a zone ─────────────────────────────────────────────────────────────────────────────────────
const formats = new Map<string, Intl.DateTimeFormat>()
export const dayOf = (zone: string, at: number): string => {
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  formats.set(zone, format)
  return format.format(at)
}
const DAY = 86_400_000
export const addDays = (day: string, days: number): string => new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10)
export const startOfDay = (zone: string, day: string): number => {
  let at = Date.parse(day) - DAY
  while (dayOf(zone, at) < day) at += 900_000
  return at
}
export const bucketOf = (interval: 'day' | 'week', day: string): string => (interval === 'day' ? day : addDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7)))

// ── questions ──────────────────────────────────────────────────────────────────────────────────────────
export const ACTIVITY: ReadonlySet<string> = new Set(['track', 'page'])
export const isChosen = (event: MeantEvent, name: string): boolean => (name === '*' ? ACTIVITY.has(event.type) : event.event === name)

export interface Period {
  readonly zone: string
  readonly from: string
  readonly to: string
}

/** Of each cohort's people, how many came back in period n. */
export const retention = (people: readonly Person[], start: string, back: string, interval: 'day' | 'week', counting: 'on' | 'on-or-after', { zone, from, to }: Period, periods: number) => {
  const cohorts = new Map<string, number[]>()
  for (const { events } of people) {
    const days = (name: string): readonly string[] => events.filter((event) => isChosen(event, name)).map(({ at }) => dayOf(zone, at)).filter((day) => day <= to).sort()
    const first = days(start)[0]
    if (first === undefined || first < from) continue
    const cohort = bucketOf(interval, first)
    const [size = 0, ...returned] = cohorts.get(cohort) ?? Array.from({ length: periods + 2 }, () => 0)
    const length = interval === 'day' ? 1 : 7
    const after = days(back).filter((day) => day >= from).map((day) => Math.round((Date.parse(bucketOf(interval, day)) - Date.parse(cohort)) / DAY / length))
    cohorts.set(cohort, [size + 1, ...returned.map((n, at) => n + Number(counting === 'on' ? after.includes(at) : after.some((other) => other >= at)))])
  }
  return [...cohorts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([at, [size, ...returned]]) => ({ at, size, returned }))
}

/** How many people reached each step: every start is tried, and each step takes the earliest event that is left. */
export const funnel = (people: readonly Person[], steps: readonly string[], windowMs: number, equal: 'in-order' | 'refused', { zone, from, to }: Period): readonly number[] => {
  const reached = steps.map(() => 0)
  for (const { events } of people) {
    const ordered = [...events].sort((a, b) => a.at - b.at)
    let best = 0
    for (const [start, event] of ordered.entries()) {
      const day = dayOf(zone, event.at)
      if (!isChosen(event, steps[0]!) || day < from || day > to) continue
      const used = new Set([start])
      let [level, last] = [1, event.at]
      while (level < steps.length) {
        const next = ordered.findIndex((other, at) => !used.has(at) && isChosen(other, steps[level]!) && (equal === 'refused' ? other.at > last : other.at >= last))
        if (next < 0 || ordered[next]!.at - event.at > windowMs) break
        used.add(next)
        last = ordered[next]!.at
        level++
      }
      best = Math.max(best, level)
    }
    for (let level = 0; level < best; level++) reached[level]!++
  }
  return reached
}

// ── rules ──────────────────────────────────────────────────────────────────────────────────────────────
export interface TestRule {
  readonly rule: unknown
  readonly holds: (person: Person, clock: number, zone: string) => boolean
}

const HOUR = 3_600_000
const within = (events: readonly MeantEvent[], name: string, clock: number, windowMs: number): readonly MeantEvent[] =>
  events.filter((event) => isChosen(event, name) && event.at <= clock && event.at > clock - windowMs)

export const RULES: readonly TestRule[] = [
  {
    rule: { did: { event: PURCHASE, op: 'gte', value: 2, window: { last: '36h' } } },
    holds: ({ events }, clock) => within(events, PURCHASE, clock, 36 * HOUR).length >= 2,
  },
  {
    rule: { all: [{ did: { event: '*', measure: 'distinct-days', op: 'gte', value: 2, window: { last: '3d' } } }, { not: { profile: { trait: 'plan', op: 'eq', value: 'free' } } }] },
    holds: (person, clock, zone) => new Set(within(person.events, '*', clock, 72 * HOUR).map(({ at }) => dayOf(zone, at))).size >= 2 && traitsOf(person)['plan'] !== 'free',
  },
  {
    rule: { any: [{ did: { event: PURCHASE, measure: 'sum', property: 'revenue', op: 'gt', value: 100.1, window: { last: '2d' } } }, { profile: { trait: 'level', op: 'gte', value: 3 } }] },
    holds: (person, clock) => within(person.events, PURCHASE, clock, 48 * HOUR).filter(({ currency }) => currency === 'CNY').reduce((sum, event) => sum + (revenueOf(event) ?? 0n), 0n) > 1_001_000n
      || traitsOf(person)['level'] === 3,
  },
  {
    rule: { all: [{ didNot: { event: '加入购物车', window: { last: '20h' } } }, { did: { event: '*' } }] },
    holds: ({ events }, clock) => within(events, '加入购物车', clock, 20 * HOUR).length === 0 && within(events, '*', clock, Infinity).length > 0,
  },
  {
    rule: { all: [{ profile: { trait: '__proto__', op: 'exists' } }, { profile: { trait: '城市', op: 'neq', value: '杭州' } }] },
    holds: (person) => Object.hasOwn(traitsOf(person), '__proto__') && traitsOf(person)['城市'] !== '杭州',
  },
  {
    rule: { did: { event: 'Product Viewed', where: [{ property: '数', op: 'gte', value: 2 }], op: 'lt', value: 2, window: { last: '1d' } } },
    holds: ({ events }, clock) => within(events, 'Product Viewed', clock, 24 * HOUR).filter((event) => event.number >= 2).length < 2,
  },
]
