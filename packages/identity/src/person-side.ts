/**
 * The person's side of the protocol: what a consumer of events.resolved keeps of one person, and what it does
 * when a number comes or goes. `fold` and `segmentation` share it, each with a state of its own that can be added.
 *
 * State is kept in slots, one for each number in each of its stays (epochs), and never mixed: a person is evaluated
 * by adding the slots. So a number leaves with exactly what it brought (an unmerge is exact), and may come back
 * before its former stay has been carried away.
 */

/** A state whose addition is commutative and associative; late events need that anyway. */
export interface Addable<State> {
  readonly empty: () => State
  /** Must not change its arguments. */
  readonly add: (a: State, b: State) => State
  readonly isEmpty: (state: State) => boolean
}

export type SlotId = `${number}@${number}`

export interface Slot<State> {
  readonly state: State
  /** The number came here from another person, and its past has not arrived yet. */
  readonly expected?: true
  /** It has left again before its past arrived; the past is passed on when it comes. */
  readonly leaving?: Destination
}

export interface Destination {
  readonly nextEpoch: number
  readonly to: string
}

/** A consumer's document of a person is this and whatever else it keeps; other fields are carried along. */
export interface PersonDocument<State> {
  readonly slots: Readonly<Record<SlotId, Slot<State>>>
}

/** A state under way to `person`; the consumer adds `for` and `clock` and appends it as `number.moved`. */
export interface Moved<State> {
  readonly number: number
  readonly epoch: number
  readonly person: string
  /** null: there was nothing to carry; the receiver waits for the record all the same. */
  readonly state: State | null
}

export interface Stay {
  readonly number: number
  readonly epoch: number
}

export interface PersonStep<Document, State> {
  readonly document: Document
  readonly emit: readonly Moved<State>[]
  /** A past is still on its way to this person: its flips wait, nobody else's. */
  readonly held: boolean
}

export const slotId = (number: number, epoch: number): SlotId => `${number}@${epoch}`

export const parseSlotId = (id: SlotId): Stay => {
  const at = id.indexOf('@')
  return { number: Number(id.slice(0, at)), epoch: Number(id.slice(at + 1)) }
}

/** An event of the number, or the backfilled state of a rule: changes one slot, which is made when absent. */
export const applyToSlot = <State, Document extends PersonDocument<State>>(
  document: Document,
  { number, epoch }: Stay,
  change: (state: State) => State,
  algebra: Addable<State>,
): Document => {
  const slot = document.slots[slotId(number, epoch)]
  return withSlot(document, slotId(number, epoch), { ...slot, state: change(slot ? slot.state : algebra.empty()) })
}

/** `number.expected`: the number is here from now on; its past follows as `number.moved`. */
export const onExpected = <State, Document extends PersonDocument<State>>(
  document: Document,
  { number, epoch }: Stay,
  algebra: Addable<State>,
): PersonStep<Document, State> => {
  const slot = document.slots[slotId(number, epoch)]
  return step(withSlot(document, slotId(number, epoch), { ...slot, state: slot?.state ?? algebra.empty(), expected: true }))
}

/** `number.left`: its state goes on at once, or, while its own past has not come yet, when that comes. */
export const onLeft = <State, Document extends PersonDocument<State>>(
  document: Document,
  { number, epoch, nextEpoch, to }: Stay & Destination,
  algebra: Addable<State>,
): PersonStep<Document, State> => {
  const id = slotId(number, epoch)
  const slot = document.slots[id]
  if (slot?.expected) return step(withSlot(document, id, { ...slot, leaving: { nextEpoch, to } }))
  const moved = movedTo(number, { nextEpoch, to }, slot?.state ?? algebra.empty(), algebra)
  return step(withoutSlot(document, id), [moved])
}

/** `number.moved`: the past has come; it is added to what the number did here, or passed on with it. */
export const onMoved = <State, Document extends PersonDocument<State>>(
  document: Document,
  { number, epoch, state }: Stay & { readonly state: State | null },
  algebra: Addable<State>,
): PersonStep<Document, State> => {
  const id = slotId(number, epoch)
  const slot = document.slots[id]
  const here = slot?.state ?? algebra.empty()
  const whole = state === null ? here : algebra.add(here, state)
  if (!slot?.leaving) return step(withSlot(document, id, { state: whole }))
  return step(withoutSlot(document, id), [movedTo(number, slot.leaving, whole, algebra)])
}

/** True while a past is on its way to this person. A slot that only passes through holds nobody. */
export const isHeld = <State>(document: PersonDocument<State>): boolean => {
  for (const id in document.slots) {
    const slot = document.slots[id as SlotId]!
    if (slot.expected && !slot.leaving) return true
  }
  return false
}

/** The slots that make up the person now, smallest number first. What is leaving belongs to somebody else. */
export const activeSlots = <State>(document: PersonDocument<State>): readonly (Stay & { readonly state: State })[] =>
  Object.entries(document.slots as Record<SlotId, Slot<State>>)
    .filter(([, slot]) => !slot.leaving)
    .map(([id, slot]) => ({ ...parseSlotId(id as SlotId), state: slot.state }))
    .sort((a, b) => a.number - b.number || a.epoch - b.epoch)

const movedTo = <State>(
  number: number,
  { nextEpoch, to }: Destination,
  state: State,
  algebra: Addable<State>,
): Moved<State> => ({ number, epoch: nextEpoch, person: to, state: algebra.isEmpty(state) ? null : state })

const step = <State, Document extends PersonDocument<State>>(
  document: Document,
  emit: readonly Moved<State>[] = [],
): PersonStep<Document, State> => ({ document, emit, held: isHeld(document) })

const withSlot = <State, Document extends PersonDocument<State>>(
  document: Document,
  id: SlotId,
  slot: Slot<State>,
): Document => ({ ...document, slots: { ...document.slots, [id]: slot } })

const withoutSlot = <State, Document extends PersonDocument<State>>(document: Document, id: SlotId): Document => {
  const { [id]: _gone, ...slots } = document.slots
  return { ...document, slots }
}
