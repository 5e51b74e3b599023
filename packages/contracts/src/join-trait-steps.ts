import { addDecimals, type Decimal, decimalOf, textOfDecimal } from './decimal.ts'
import { sameValue } from './same-value.ts'
import { compareAt, foldTrait, type TraitAt, type TraitFloor, type TraitStep } from './trait-fold.ts'

export const TRAIT_STEPS = {
  /** Changes of one trait that are kept one by one. */
  stepsMax: 32,
  /** Characters of their values, message ids and events, about; a base is bounded by that of its list. */
  charsMax: 4096,
} as const

/**
 * The sum of two lists of steps, of any parts of a person: sorted, without those below the floor, bounded. Within the
 * bounds the same for every order of additions; beyond them `foldTrait` gives the right value or says that it is partial.
 */
export const joinSteps = (floor: TraitFloor, a: readonly TraitStep[], b: readonly TraitStep[]): readonly TraitStep[] => {
  const both = [...a, ...b].filter((step) => isAbove(step, floor))
  return bounded(floor, withoutRepeatedOnces(behindBase(both.sort(compareSteps))))
}

const isAbove = (step: TraitStep, { at, deleted }: TraitFloor): boolean => {
  const order = at ? compareAt(step, at) : 1
  return order > 0 || (order === 0 && !deleted)
}

const KINDS: readonly TraitStep[2][] = ['base', 'once', 'add', 'append', 'union', 'remove']

/** Two keys of one person may have sent the same message id at the same time; then the content decides. */
const compareSteps = (a: TraitStep, b: TraitStep): number =>
  compareAt(a, b) || KINDS.indexOf(a[2]) - KINDS.indexOf(b[2]) || compareText(JSON.stringify(a), JSON.stringify(b))

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What comes late and lies before a base can no longer be put in its place. */
const behindBase = (steps: readonly TraitStep[]): readonly TraitStep[] => {
  const at = steps.findLastIndex(([, , kind]) => kind === 'base')
  if (at <= 0) return steps
  const [time, messageId, kind, value, event, source, since] = steps[at]!
  return [[time, messageId, kind, value, event, source, since!, true], ...steps.slice(at + 1)]
}

/**
 * SDKs send the same set-once with every event. Of a run of the same value the first and the last are kept: the first
 * is the one that counts, unless an unset comes late; then the value is known to have been said again up to the last.
 */
const withoutRepeatedOnces = (steps: readonly TraitStep[]): readonly TraitStep[] => {
  const onces = steps.filter(([, , kind]) => kind === 'once')
  if (onces.length < 3) return steps
  const triple = onces.findIndex((once, n) => n >= 2 && sameValue(once[3], onces[n - 1]![3]) && sameValue(once[3], onces[n - 2]![3]))
  if (triple < 0) return steps
  const [first, middle, last] = onces.slice(triple - 2) as [TraitStep, TraitStep, TraitStep]
  return withoutRepeatedOnces(thinned(steps, first, middle, last, last[3]))
}

/** Without `middle`, for which `last` stands from now on. */
const thinned = (steps: readonly TraitStep[], first: TraitStep, middle: TraitStep, last: TraitStep, value: unknown): readonly TraitStep[] => {
  const since = [first, middle[6], last[6]].reduce((a, b) => (b && compareAt(b, a!) < 0 ? b : a))!
  const [time, messageId, kind, , event, source] = last
  const kept = steps.filter((step) => step !== middle)
  kept[kept.indexOf(last)] = [time, messageId, kind, value, event, source, [since[0], since[1]]]
  return kept
}

/** Over the bound the oldest changes are made one: additions are summed, else the oldest two become a base. */
const bounded = (floor: TraitFloor, steps: readonly TraitStep[]): readonly TraitStep[] => {
  let kept = steps
  while (kept.length > 1 && (kept.length > TRAIT_STEPS.stepsMax || charsOf(kept.slice(1)) > TRAIT_STEPS.charsMax)) {
    kept = withoutOldestAdd(kept) ?? withBase(floor, kept)
  }
  return kept
}

/** The second of three additions between which nothing makes a list; null when there are none. */
const withoutOldestAdd = (steps: readonly TraitStep[]): readonly TraitStep[] | null => {
  let run: TraitStep[] = []
  for (const step of steps) {
    if (step[2] === 'add') run.push(step)
    // A set-once changes nothing once there is a value; other changes may concern a list, to which nothing is added.
    else if (step[2] !== 'once') run = []
    const [first, middle, last] = run
    if (last) return thinned(steps, first!, middle!, last, textOfDecimal(addDecimals(amountOf(middle!), amountOf(last))))
  }
  return null
}

const amountOf = (step: TraitStep): Decimal => decimalOf(step[3] as number | string)

const EARLIEST: TraitAt = [0, '']

/** The oldest two as one. What is thinned out behind them has its place in this order, so nothing of it lies before the base. */
const withBase = (floor: TraitFloor, steps: readonly TraitStep[]): readonly TraitStep[] => {
  const [time, messageId, , , event, source] = steps[1]!
  const { value } = foldTrait(floor, steps.slice(0, 2))
  const made = [time, messageId, 'base', value, event, source, floor.at ?? EARLIEST] as const
  const base: TraitStep = foldTrait(floor, steps).partial ? [...made, true] : made
  return [base, ...steps.slice(2).map((step) => sinceBase(step, base))]
}

const sinceBase = (step: TraitStep, base: TraitStep): TraitStep => {
  const [time, messageId, kind, value, event, source, since] = step
  return since && compareAt(since, base) < 0 ? [time, messageId, kind, value, event, source, [base[0], base[1]]] : step
}

const charsOf = (steps: readonly TraitStep[]): number => steps.reduce((sum, [, messageId, , value, event]) => sum + messageId.length + sizeOf(value) + event.length, 0)

const sizeOf = (value: unknown): number =>
  typeof value === 'string' ? value.length : typeof value === 'object' && value !== null ? JSON.stringify(value).length : 8
