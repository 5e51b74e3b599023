import { z } from 'zod'
import { canonicalZone, spelledZone } from './zone-name.ts'

/**
 * Questions of `POST /api/metrics/<question>` and their answers. Every object is strict: a misspelt option is an
 * error, never an option that silently does nothing. What each question means in words: packages/metric-catalog.
 */

/** A calendar day in the question's zone, `2024-01-04`. */
export const calendarDay = z.string().refine(isCalendarDay, { message: 'a calendar day as YYYY-MM-DD, from 2000-01-01 to 2105-12-31' })

function isCalendarDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) && text >= '2000-01-01' && text <= '2105-12-31'
}

const zone = z.string().refine((name) => canonicalZone(name) !== null, { message: 'an IANA time zone, like Asia/Shanghai' }).overwrite(spelledZone)

const name = z.string().min(1).max(500)

/**
 * A condition on a property of the event. The type of `value` names the type of property that is meant: `"100"` is
 * text, `100` a number. A property that is missing or of the other type satisfies no operator except `not-exists`
 * and the negative ones (`neq`, `not-in`, `not-contains`), which are the exact opposites of `eq`, `in`, `contains`.
 */
export const propertyFilter = z.union([
  z.strictObject({ property: name, op: z.enum(['eq', 'neq']), value: z.union([z.string().max(2000), z.number(), z.boolean()]) }),
  z.strictObject({ property: name, op: z.enum(['gt', 'gte', 'lt', 'lte']), value: z.number() }),
  z.strictObject({ property: name, op: z.enum(['contains', 'not-contains']), value: z.string().min(1).max(2000) }),
  z.strictObject({
    property: name,
    op: z.enum(['in', 'not-in']),
    value: z.union([z.array(z.string().max(2000)).min(1).max(200), z.array(z.number()).min(1).max(200)]),
  }),
  z.strictObject({ property: name, op: z.enum(['exists', 'not-exists']) }),
])
export type PropertyFilter = z.infer<typeof propertyFilter>

/** Which events are meant: a name, or `*` for any activity (track, page, screen), and conditions that must all hold. */
export const eventChoice = z.strictObject({ event: name, where: z.array(propertyFilter).max(20).default([]) })
export type EventChoice = z.infer<typeof eventChoice>

const period = { from: calendarDay, to: calendarDay, zone: zone.optional() }
const inOrder = (question: { from: string; to: string }): boolean => question.from <= question.to
const ORDER = { message: '`from` must not be after `to`', path: ['from'] }

export const INTERVALS = ['hour', 'day', 'week', 'month'] as const
export type Interval = (typeof INTERVALS)[number]

export const MEASURES = ['events', 'people', 'new-people', 'sum', 'average'] as const
export type Measure = (typeof MEASURES)[number]

export const trendsQuestion = z
  .strictObject({
    events: z.array(eventChoice).min(1).max(10),
    measure: z.enum(MEASURES).default('events'),
    /** The numeric property of `sum` and `average`; `revenue` is exact decimal money, in the question's currency. */
    property: name.optional(),
    /** ISO 4217, for `property: "revenue"`; the project's currency unless said. Currencies are never added up. */
    currency: z.string().regex(/^[A-Z]{3}$/).optional(),
    interval: z.enum(INTERVALS).default('day'),
    /** With `people` by day: distinct people of this many days, the day itself the last. 7 = WAU, 30 = MAU. */
    rollingDays: z.int().min(1).max(366).optional(),
    /** One series for each value of a property of the event; more values than the bound are an error, not a cut. */
    breakdown: z.strictObject({ property: name }).optional(),
    ...period,
  })
  .refine(inOrder, ORDER)
  .refine((q) => (q.measure === 'sum' || q.measure === 'average') === (q.property !== undefined), {
    message: '`property` belongs to `sum` and `average`, and they need it',
    path: ['property'],
  })
  .refine((q) => q.currency === undefined || q.property === 'revenue', {
    message: '`currency` belongs to the property `revenue`',
    path: ['currency'],
  })
  .refine((q) => q.rollingDays === undefined || (q.measure === 'people' && q.interval === 'day'), {
    message: '`rollingDays` belongs to the measure `people` with the interval `day`',
    path: ['rollingDays'],
  })
  .refine((q) => q.breakdown === undefined || (q.rollingDays === undefined && q.measure !== 'new-people'), {
    message: '`breakdown` cannot be asked with `rollingDays` or `new-people`',
    path: ['breakdown'],
  })
export type TrendsQuestion = z.infer<typeof trendsQuestion>

export const retentionQuestion = z
  .strictObject({
    start: eventChoice,
    return: eventChoice,
    kind: z.enum(['first-time']).default('first-time'),
    /** `on`: came back in that very period; `on-or-after`: in that period or a later one. */
    counting: z.enum(['on', 'on-or-after']).default('on'),
    interval: z.enum(['day', 'week', 'month']).default('day'),
    /** The last n that is asked: 14 gives n = 0 … 14. */
    periods: z.int().min(1).max(100).default(14),
    ...period,
  })
  .refine(inOrder, ORDER)
export type RetentionQuestion = z.infer<typeof retentionQuestion>

/** `30s`, `15m`, `24h`, `7d`. */
export const funnelWindow = z
  .string()
  .regex(/^[1-9]\d{0,6}(s|m|h|d)$/, 'a length like 30s, 15m, 24h or 7d')
  .refine((text) => windowMs(text) <= 366 * 86_400_000, 'at most 366d')

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** Milliseconds of a window's text. */
export const windowMs = (text: string): number => Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? Number.NaN)

export const funnelQuestion = z
  .strictObject({
    steps: z.array(eventChoice).min(2).max(20),
    window: funnelWindow.default('7d'),
    order: z.enum(['ordered']).default('ordered'),
    /** Whether two steps at one and the same millisecond are in order. */
    equalTimes: z.enum(['in-order', 'refused']).default('in-order'),
    ...period,
  })
  .refine(inOrder, ORDER)
export type FunnelQuestion = z.infer<typeof funnelQuestion>

/** What every answer says of itself (P7). */
export interface Definition<Question> {
  /** The question with every default written out. */
  readonly question: Question
  readonly zone: string
  readonly freshness: {
    /** receivedAt of the newest event included, ISO; null when there is none. */
    readonly newestReceivedAt: string | null
    /** Version of the map number → person that was applied: every merge up to it is in the answer. */
    readonly mapVersion: number
  }
  readonly exact: true
  /** `events`: counted from the events; `aggregates`: from daily aggregates that are proved equal to them. */
  readonly readFrom: 'events' | 'aggregates'
  /** The statements that ran, in order. */
  readonly sql: readonly string[]
}

export interface TrendsAnswer {
  readonly series: readonly {
    readonly event: string
    /** Value of the breakdown's property; null where the event has none. Absent without a breakdown. */
    readonly group?: string | null
    readonly points: readonly TrendsPoint[]
  }[]
  readonly definition: Definition<TrendsQuestion>
}
/** `value` is decimal text for sums and averages of money, null for an average of nothing. */
export interface TrendsPoint {
  readonly at: string
  readonly value: number | string | null
  /** False: the period reaches beyond `from`..`to` or is not over yet. */
  readonly complete: boolean
}

export interface RetentionAnswer {
  readonly cohorts: readonly {
    readonly at: string
    readonly size: number
    readonly returned: readonly number[]
    readonly complete: readonly boolean[]
  }[]
  /** Sums over the cohorts whose cell n is complete. */
  readonly total: readonly { readonly n: number; readonly size: number; readonly returned: number }[]
  readonly definition: Definition<RetentionQuestion>
}

export interface FunnelAnswer {
  readonly steps: readonly { readonly event: string; readonly people: number }[]
  /** False while a start may still be followed: the last day + the window is not over yet. */
  readonly complete: boolean
  readonly definition: Definition<FunnelQuestion>
}
