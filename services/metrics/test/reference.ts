import { ACTIVITY_TYPES, windowMs, type EventChoice, type FunnelQuestion, type PropertyFilter, type RetentionQuestion } from '@millrace/contracts'
import type { Written } from './warehouse.ts'

/** Answers counted the slow and plain way, from the definitions in words; nothing here is shared with the SQL. */

const dayIn = (zone: string, at: number): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(at)

const filters = (properties: Readonly<Record<string, unknown>>, filter: PropertyFilter): boolean => {
  const value = properties[filter.property]
  switch (filter.op) {
    case 'eq': return value === filter.value
    case 'neq': return value !== filter.value
    case 'gt': return typeof value === 'number' && value > filter.value
    case 'gte': return typeof value === 'number' && value >= filter.value
    case 'lt': return typeof value === 'number' && value < filter.value
    case 'lte': return typeof value === 'number' && value <= filter.value
    case 'contains': return typeof value === 'string' && value.includes(filter.value)
    case 'not-contains': return !(typeof value === 'string' && value.includes(filter.value))
    case 'in': return (filter.value as unknown[]).includes(value)
    case 'not-in': return !(filter.value as unknown[]).includes(value)
    case 'exists': return value !== undefined
    case 'not-exists': return value === undefined
  }
}

export const isChosen = (choice: EventChoice, event: Written): boolean =>
  (choice.event === '*' ? ACTIVITY_TYPES.includes(event.type ?? 'track') : choice.event === event.event) &&
  choice.where.every((filter) => filters(event.properties ?? {}, filter))

export type PersonOf = (user: number) => number

interface Days {
  readonly from: string
  readonly to: string
  readonly zone: string
}

const addDays = (day: string, days: number): string => {
  const date = new Date(`${day}T12:00:00Z`)
  date.setUTCDate(date.getUTCDate() + days)
  return date.toISOString().slice(0, 10)
}

export const everyDay = ({ from, to }: Days): readonly string[] => {
  const days = []
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day)
  return days
}

const people = (events: readonly Written[], personOf: PersonOf): number =>
  new Set(events.filter(({ nobody }) => !nobody).map(({ user }) => personOf(user))).size

const eventsByPerson = (events: readonly Written[], personOf: PersonOf): ReadonlyMap<number, readonly Written[]> => {
  const own = new Map<number, Written[]>()
  for (const event of events.filter(({ nobody }) => !nobody)) {
    const person = personOf(event.user)
    own.set(person, [...(own.get(person) ?? []), event])
  }
  return own
}

export const trendReference = (events: readonly Written[], choice: EventChoice, personOf: PersonOf, asked: Days) => {
  const chosen = events.filter((event) => isChosen(choice, event)).map((event) => ({ event, day: dayIn(asked.zone, event.at) }))
  const within = (from: string, to: string): readonly Written[] =>
    chosen.filter(({ day }) => day >= from && day <= to).map(({ event }) => event)
  const days = everyDay(asked)
  return {
    events: days.map((day) => within(day, day).length),
    people: days.map((day) => people(within(day, day), personOf)),
    newPeople: days.map((day) => people(within('0000', day), personOf) - people(within('0000', addDays(day, -1)), personOf)),
    rolling: (length: number) => days.map((day) => people(within(addDays(day, 1 - length), day), personOf)),
  }
}

export const retentionReference = (events: readonly Written[], question: RetentionQuestion, personOf: PersonOf, asked: Days) => {
  const byPerson = eventsByPerson(events, personOf)
  const cohorts = new Map<string, { size: number; returned: number[] }>()
  for (const own of byPerson.values()) {
    const daysOf = (choice: EventChoice): string[] =>
      own.filter((event) => isChosen(choice, event)).map(({ at }) => dayIn(asked.zone, at)).filter((day) => day <= asked.to)
    const first = daysOf(question.start).sort()[0]
    if (first === undefined || first < asked.from) continue
    const returns = daysOf(question.return)
    const cohort = cohorts.get(first) ?? { size: 0, returned: Array.from({ length: question.periods + 1 }, () => 0) }
    cohort.size++
    for (let n = 0; n <= question.periods; n++) {
      const day = addDays(first, n)
      if (returns.some((at) => (question.counting === 'on' ? at === day : at >= day))) cohort.returned[n]!++
    }
    cohorts.set(first, cohort)
  }
  return [...cohorts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([at, cohort]) => ({ at, ...cohort }))
}

/** Tries every way to choose one event for each step. */
export const funnelReference = (events: readonly Written[], question: FunnelQuestion, personOf: PersonOf, asked: Days): readonly number[] => {
  const byPerson = eventsByPerson(events, personOf)
  const reached = question.steps.map(() => 0)
  for (const own of byPerson.values()) {
    const level = levelOf(own, question, asked)
    for (let step = 0; step < level; step++) reached[step]!++
  }
  return reached
}

const levelOf = (own: readonly Written[], question: FunnelQuestion, asked: Days): number => {
  const candidates = own
    .map((event) => ({
      at: event.at,
      steps: question.steps.flatMap((step, index) => {
        const day = dayIn(asked.zone, event.at)
        return isChosen(step, event) && (index > 0 || (day >= asked.from && day <= asked.to)) ? [index] : []
      }),
    }))
    .filter(({ steps }) => steps.length > 0)
    .sort((a, b) => a.at - b.at || a.steps[0]! - b.steps[0]! || mask(a.steps) - mask(b.steps))
  const strict = question.equalTimes === 'refused'
  const follow = (step: number, behind: number, start: number): number => {
    let best = step
    for (let index = behind + 1; index < candidates.length && step < question.steps.length; index++) {
      const { at, steps } = candidates[index]!
      const inTime = step === 0 || at - start <= windowMs(question.window)
      const later = step === 0 || !strict || at > candidates[behind]!.at
      if (steps.includes(step) && inTime && later) best = Math.max(best, follow(step + 1, index, step === 0 ? at : start))
    }
    return best
  }
  return follow(0, -1, 0)
}

const mask = (steps: readonly number[]): number => steps.reduce((sum, step) => sum + 2 ** step, 0)
