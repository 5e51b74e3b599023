import type { FlipCause, FlipLine, Millis } from '@millrace/contracts'
import { activeSlots, isHeld } from '@millrace/identity'
import { type DayOf, evaluate, type KnownRule, leafKey, type Subject, type Verdict } from '@millrace/segments'
import type { Membership, PersonState } from './documents.ts'

export interface Evaluation {
  readonly person: PersonState
  readonly flips: readonly FlipLine[]
}

export const subjectOf = (person: PersonState, rule: KnownRule, dayOf: DayOf): Subject => ({
  slots: activeSlots(person).map(({ state }) => state),
  dayOf,
  keyOf: keysOf(rule),
})

const keysOf = ({ segment, version }: KnownRule): Subject['keyOf'] => (leaf) => leafKey(segment, version, leaf.id)

/**
 * Brings the memberships of a person up to date for the rules given. While a past is on its way nothing is judged and
 * no timer is kept: when it arrives, all rules are. Without numbers a person is nobody, and in no segment.
 */
export const judge = (
  id: string,
  person: PersonState,
  rules: Iterable<KnownRule>,
  { clock, cause, dayOf }: { readonly clock: Millis; readonly cause: FlipCause; readonly dayOf: DayOf },
): Evaluation => {
  if (isHeld(person)) return { person: hasNone(person.due) ? person : { ...person, due: {} }, flips: [] }
  const slots = activeSlots(person).map(({ state }) => state)
  const flips: FlipLine[] = []
  const changed: { memberships: Changed['memberships']; due: Record<string, Millis>; partial: Changed['partial'] } = { memberships: person.memberships, due: person.due, partial: person.partial }
  for (const rule of rules) {
    const { segment, version } = rule
    const verdict = slots.length === 0 ? NOBODY : evaluate(rule.rule, { slots, dayOf, keyOf: keysOf(rule) }, clock)
    if ((changed.due[segment] ?? null) !== verdict.next) {
      // One copy for all rules of this line.
      if (changed.due === person.due) changed.due = { ...person.due }
      setDue(changed.due, segment, verdict.next)
    }
    if (verdict.partial !== changed.partial.includes(segment)) changed.partial = withPartial(changed.partial, segment, verdict.partial)
    const before = changed.memberships[segment] ?? NEVER
    if (before.in === verdict.value) continue
    const number = before.number + 1
    changed.memberships = { ...changed.memberships, [segment]: { number, in: verdict.value, at: clock } }
    flips.push({ type: 'flip', segment, version, person: id, flip: verdict.value ? 'entered' : 'exited', at: clock, number, cause })
  }
  return { person: isSame(person, changed) ? person : { ...person, ...changed }, flips }
}

type Changed = Pick<PersonState, 'memberships' | 'due' | 'partial'>

/** An unchanged document is not written. */
const isSame = (person: PersonState, { memberships, due, partial }: Changed): boolean =>
  person.memberships === memberships && person.due === due && person.partial === partial

const hasNone = (object: object): boolean => {
  for (const _ in object) return false
  return true
}

const NOBODY: Verdict = { value: false, next: null, partial: false }
export const NEVER: Membership = { number: 0, in: false, at: 0 }

const setDue = (due: Record<string, Millis>, segment: string, next: Millis | null): void => {
  if (next === null) delete due[segment]
  else due[segment] = next
}

const withPartial = (partial: readonly string[], segment: string, value: boolean): readonly string[] =>
  value ? [...partial, segment].sort() : partial.filter((name) => name !== segment)

/** The person's one timer. */
export const timerOf = ({ due }: PersonState): Millis | null => {
  let best: Millis | null = null
  for (const segment in due) if (best === null || due[segment]! < best) best = due[segment]!
  return best
}
