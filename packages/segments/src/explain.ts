import { formatUnits, type Millis, type Rule } from '@millrace/contracts'
import { evaluate, evaluateDid, evaluateProfile, stateOf, type Subject } from './evaluate.ts'

/** A rule's tree for one person: each leaf with its value and what is behind it. Times are ISO text. */
export type Explanation =
  | { readonly kind: 'all' | 'any'; readonly value: boolean; readonly of: readonly Explanation[] }
  | { readonly kind: 'not'; readonly value: boolean; readonly of: Explanation }
  | DidExplanation
  | ProfileExplanation

export interface DidExplanation {
  readonly kind: 'did'
  readonly leaf: string
  readonly value: boolean
  readonly event: string
  /** Whole number, or decimal text of a sum. */
  readonly measured: string
  /** The count stopped here: more would not change the answer. */
  readonly atLeast: boolean
  /** The latest events behind it, oldest first; of `ever` only the latest one is kept. */
  readonly events: readonly string[]
  /** When this leaf's value will change by time alone. */
  readonly changesAt: string | null
  readonly partial: boolean
}

export interface ProfileExplanation {
  readonly kind: 'profile'
  readonly leaf: string
  readonly value: boolean
  readonly trait: string
  /** Absent where the person has no such trait. */
  readonly found?: unknown
  readonly setAt?: string
  readonly partial: boolean
}

const EVENTS_SHOWN = 20

export const explain = (rule: Rule, subject: Subject, clock: Millis): Explanation => {
  const { value } = evaluate(rule, subject, clock)
  switch (rule.kind) {
    case 'all':
    case 'any':
      return { kind: rule.kind, value, of: rule.of.map((inner) => explain(inner, subject, clock)) }
    case 'not':
      return { kind: 'not', value, of: explain(rule.of, subject, clock) }
    case 'did': {
      const states = stateOf(rule, subject)
      const { measured, atLeast, times, next, partial } = evaluateDid(rule, states, clock, subject.dayOf)
      const folded = states.flatMap(({ last }) => (last === undefined ? [] : [last]))
      return {
        kind: 'did',
        leaf: rule.id,
        value,
        event: rule.event,
        measured: rule.measure === 'sum' ? formatUnits(measured) : String(measured),
        atLeast,
        events: [...folded, ...times].sort((x, y) => x - y).slice(-EVENTS_SHOWN).map(iso),
        changesAt: next === null ? null : iso(next),
        partial,
      }
    }
    case 'profile': {
      const { trait, partial } = evaluateProfile(rule, subject)
      const found = trait ? { found: trait[0], setAt: iso(trait[1]) } : {}
      return { kind: 'profile', leaf: rule.id, value, trait: rule.condition.trait, ...found, partial }
    }
  }
}

const STEPS_MAX = 10_000

/** When time alone will flip the whole rule; null: never, as far as `STEPS_MAX` changes of leaves reach. */
export const nextFlip = (rule: Rule, subject: Subject, clock: Millis): Millis | null => {
  const { value, next } = evaluate(rule, subject, clock)
  let at = next
  for (let step = 0; at !== null && step < STEPS_MAX; step++) {
    const then = evaluate(rule, subject, at)
    if (then.value !== value) return at
    at = then.next
  }
  return null
}

const iso = (time: Millis): string => new Date(time).toISOString()
