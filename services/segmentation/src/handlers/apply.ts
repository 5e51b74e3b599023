import { type DecodeSettings, decodeEvent, type FlipCause, isRefusal, type Millis, type NumberExpected, type NumberLeft, type NumberMoved, type Origin, type ResolvedBackfill, type ResolvedEventLine } from '@millrace/contracts'
import { applyToSlot, onExpected, onLeft, onMoved, type PersonStep, slotId } from '@millrace/identity'
import { type DayOf, leafKey, type LeafState, settle, slotAlgebra, type SlotState, touch } from '@millrace/segments'
import { leavesOf } from '@millrace/contracts'
import type { PersonState } from './documents.ts'
import type { ProjectRules } from './rules.ts'

/** Lines that change one person. */
export type PersonLine = ResolvedEventLine | NumberLeft | NumberExpected | NumberMoved | ResolvedBackfill

export interface Applied {
  readonly person: PersonState
  readonly moved: readonly NumberMoved[]
  /** Segments that may have a new value. */
  readonly judge: readonly string[] | 'all'
  readonly cause: FlipCause
}

export interface ApplyContext {
  readonly settings: DecodeSettings
  readonly dayOf: DayOf
  readonly origins: readonly Origin[]
  readonly rules: ProjectRules
  readonly clock: Millis
}

/** What a line makes of its person; null: nothing. */
export const applyToPerson = (person: PersonState, line: PersonLine, context: ApplyContext): Applied | null => {
  switch (line.type) {
    case 'event':
      return applyEvent(person, line, context)
    case 'state.backfilled':
      return applyBackfilled(person, line, context)
    case 'number.expected':
      return carriedOn(onExpected(person, line, slotAlgebra), context.clock)
    case 'number.left':
      return carriedOn(onLeft(person, line, slotAlgebra), context.clock)
    case 'number.moved':
      return carriedOn(onMoved(person, { ...line, state: line.state as SlotState | null }, slotAlgebra), context.clock)
  }
}

const applyEvent = (person: PersonState, line: ResolvedEventLine, { settings, dayOf, origins, rules, clock }: ApplyContext): Applied | null => {
  const event = decodeEvent(origins[line.origin]!, settings, line.event)
  // Resolve passes on what can be decoded; a line that cannot was not written by it.
  if (isRefusal(event)) return null
  const id = slotId(line.number, line.epoch)
  const slot = person.slots[id]
  const touched = touch(rules.index, slot?.state ?? slotAlgebra.empty(), event, clock, dayOf)
  // A person's first event makes it somebody: rules that ask for nothing done are true from here.
  if (!slot) {
    const made = applyToSlot(person, line, () => touched.state, slotAlgebra)
    return { person: made, moved: [], judge: 'all', cause: 'event' }
  }
  if (touched.state === slot.state) return null
  const grown = { ...person, slots: { ...person.slots, [id]: { ...slot, state: touched.state } } }
  return { person: grown, moved: [], judge: [...touched.segments], cause: 'event' }
}

/** Sets the past of one number, however often it comes. */
const applyBackfilled = (person: PersonState, line: ResolvedBackfill, { dayOf, rules, clock }: ApplyContext): Applied | null => {
  const rule = rules.known.get(line.segment)
  if (rule?.version !== line.version) return null
  const leaves = leavesOf(rule.rule).flatMap((leaf) => (leaf.kind === 'did' && line.leaves[leaf.id] ? [leaf] : []))
  const withPast = (state: SlotState): SlotState => {
    const next = { ...state.leaves }
    for (const leaf of leaves) {
      const key = leafKey(line.segment, line.version, leaf.id)
      next[key] = { ...next[key], p: settle(leaf, line.leaves[leaf.id] as LeafState, clock, dayOf) }
    }
    return { ...state, leaves: next }
  }
  return { person: applyToSlot(person, line, withPast, slotAlgebra), moved: [], judge: [line.segment], cause: 'backfill' }
}

const carriedOn = ({ document, emit }: PersonStep<PersonState, SlotState>, clock: Millis): Applied => ({
  person: document,
  moved: emit.map((moved) => ({ type: 'number.moved', for: 'segmentation', ...moved, clock })),
  judge: 'all',
  cause: 'merge',
})
