import { parseRule, type Rule } from '@millrace/contracts'
import { indexRules, type KnownRule, parseLeafKey, type RuleIndex, type SlotState } from '@millrace/segments'
import type { PersonState, RuleDocument } from './documents.ts'

/** The rules of one project as a partition knows them, compiled. */
export interface ProjectRules {
  readonly index: RuleIndex
  /** Those that are evaluated: their backfill has completed. */
  readonly live: ReadonlyMap<string, KnownRule>
  readonly known: ReadonlyMap<string, KnownRule>
  readonly documents: ReadonlyMap<string, RuleDocument>
}

export const compileRules = (documents: readonly RuleDocument[], currency: string): ProjectRules => {
  const known = new Map<string, KnownRule>()
  for (const { segment, version, rule } of documents) {
    const parsed = rule === null ? null : ruleOf(rule, currency)
    if (parsed) known.set(segment, { segment, version, rule: parsed })
  }
  const byName = new Map(documents.map((document) => [document.segment, document]))
  const live = new Map([...known].filter(([segment]) => byName.get(segment)!.state === 'live'))
  return { index: indexRules([...known.values()]), live, known, documents: byName }
}

/** A rule of the log was parsed at the door; one that this build does not know is never true and never evaluated. */
export const ruleOf = (raw: unknown, currency: string): Rule | null => {
  const parsed = parseRule(raw, { currency })
  return parsed.ok ? parsed.rule : null
}

/** Drops leaf states of rules that have been replaced or deleted. States of rules not read yet here stay: they came ahead. */
export const withoutStale = (person: PersonState, { documents }: ProjectRules): PersonState => {
  let slots: Record<string, PersonState['slots'][keyof PersonState['slots']]> | undefined
  for (const [id, slot] of Object.entries(person.slots)) {
    const state = withoutStaleLeaves(slot.state, documents)
    if (state !== slot.state) slots = { ...(slots ?? person.slots), [id]: { ...slot, state } }
  }
  return slots ? { ...person, slots } : person
}

const withoutStaleLeaves = (state: SlotState, documents: ProjectRules['documents']): SlotState => {
  const isStale = (key: string): boolean => {
    const { segment, version } = parseLeafKey(key)
    const known = documents.get(segment)
    return known !== undefined && (version < known.version || known.state === 'deleted')
  }
  const keys = Object.keys(state.leaves)
  if (!keys.some(isStale)) return state
  return { ...state, leaves: Object.fromEntries(keys.filter((key) => !isStale(key)).map((key) => [key, state.leaves[key]!])) }
}
