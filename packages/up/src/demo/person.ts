import type { ShopChance } from './chance.ts'
import { CITIES, COMPUTERS, ENGLISH_NAMES, FAMILY_NAMES, GIVEN_NAMES, PHONES, TOUCHES, type Device, type Touch } from './catalogue.ts'

const DAY_MS = 86_400_000

export interface OwnDevice extends Device {
  readonly anonymousId: string
}

/** One made-up human of the demo. */
export interface Person {
  readonly userId: string
  readonly name: string
  readonly city: string
  readonly mobile: string
  /** Never signs in, signs in on the n-th visit, or is known from the start (a card of the shop's counter). */
  readonly kind: 'visitor' | 'member' | 'counter'
  readonly signsInOnVisit: number
  /** The first is the one of the first visit; only members have a second. */
  readonly devices: readonly OwnDevice[]
  readonly firstTouch: Touch
  readonly firstDay: number
  /** Of looking, at each step towards an order; between 0 and 1. */
  readonly appetite: number
  /** Days of visits, the first included, ascending; 0 is the first day of the demo. */
  readonly visitDays: readonly number[]
}

/** @param days length of the demo */
export const makePerson = (chance: ShopChance, index: number, days: number): Person => {
  const kind = chance.weighted([['visitor', 50], ['member', 42], ['counter', 8]] as const)
  // More people in later weeks: the shop grows.
  const firstDay = Math.min(days - 1, Math.floor(chance.next() ** 0.8 * days * 0.97))
  return {
    userId: `m${String(index + 1).padStart(5, '0')}`,
    name: chance.happens(0.85) ? chance.pick(FAMILY_NAMES) + chance.pick(GIVEN_NAMES) : chance.pick(ENGLISH_NAMES),
    city: chance.weighted(CITIES),
    mobile: `1${chance.pick(['38', '59', '86', '77'])}${String(chance.int(0, 99_999_999)).padStart(8, '0')}`,
    kind,
    signsInOnVisit: chance.times(2, 4),
    devices: makeDevices(chance, kind),
    firstTouch: chance.weighted(TOUCHES),
    firstDay,
    appetite: 0.25 + chance.next() * 0.6,
    visitDays: makeVisits(chance, kind, firstDay, days),
  }
}

/** Days in which somebody of this kind is active, starting `firstDay`: often at first, then less. */
const makeVisits = (chance: ShopChance, kind: Person['kind'], firstDay: number, days: number): readonly number[] => {
  const [mean, max] = VISITS[kind]
  const visits = [firstDay]
  for (let left = chance.times(mean, max) - 1; left > 0; left--) {
    const gap = Math.ceil(-Math.log(1 - chance.next()) * (kind === 'visitor' ? 3.5 : 3))
    const day = visits.at(-1)! + Math.max(1, gap)
    if (day >= days) break
    visits.push(day)
  }
  return visits
}

const VISITS = { visitor: [2.9, 16], member: [34, 85], counter: [6, 24] } as const

const makeDevices = (chance: ShopChance, kind: Person['kind']): readonly OwnDevice[] => {
  const own = (device: Device): OwnDevice => ({ ...device, anonymousId: `${chance.hex(8)}-${chance.hex(4)}-4${chance.hex(3)}-a${chance.hex(3)}-${chance.hex(12)}` })
  const first = own(chance.pick(chance.happens(0.72) ? PHONES : COMPUTERS))
  // A second device of a visitor who never signs in would be a second person, rightly: nobody could tell.
  return kind === 'member' && chance.happens(0.35) ? [first, own(chance.pick(COMPUTERS))] : [first]
}

/** A moment of a day (milliseconds from its start, UTC): an evening shop in China, UTC+8. */
export const momentOfDay = (chance: ShopChance): number => {
  const hourInChina = chance.weighted(HOURS)
  return (((hourInChina + 16) % 24) * DAY_MS) / 24 + chance.int(0, DAY_MS / 24 - 1)
}

const HOURS: readonly (readonly [number, number])[] = [
  [0, 2], [1, 1], [7, 2], [8, 4], [9, 5], [10, 6], [11, 6], [12, 9], [13, 7], [14, 5], [15, 5], [16, 5],
  [17, 5], [18, 7], [19, 10], [20, 13], [21, 14], [22, 10], [23, 5],
]
