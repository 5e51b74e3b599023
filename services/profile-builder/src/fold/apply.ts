import { type CanonicalEvent, decodeEvent, type DecodeSettings, isRefusal, type KeyLine, type Millis, type NumberMoved, type ResolvedEventLine } from '@millrace/contracts'
import { applyToSlot, onExpected, onLeft, onMoved, type PersonStep, slotId } from '@millrace/identity'
import { copyState, includeEvent, profileAlgebra, type ProfileState } from '@millrace/profile'
import { newDocument, personKey, type ProfileDocument } from './documents.ts'
import { type FoldLine, type FoldRecord, personOf } from './lines.ts'

/** What one batch makes of the documents that it touches. */
export interface FoldWork {
  /** Loaded before; a person that is not there has no document. */
  readonly before: ReadonlyMap<string, ProfileDocument>
  readonly after: Map<string, ProfileDocument>
  /** `number.moved` to append, by project. */
  readonly moved: Map<number, NumberMoved[]>
  /** States that this batch made and may change in place. */
  readonly owned: WeakSet<ProfileState>
  clock: Millis
}

export const newWork = (before: ReadonlyMap<string, ProfileDocument>, clock: Millis): FoldWork =>
  ({ before, after: new Map(), moved: new Map(), owned: new WeakSet(), clock })

/** Applies one record; deterministic: documents and moved states follow from the records alone. */
export const applyRecord = (work: FoldWork, record: FoldRecord, settings: DecodeSettings): void => {
  const { project } = record.header
  for (const origin of record.header.origins) work.clock = Math.max(work.clock, origin.receivedAt)
  work.clock = Math.max(work.clock, record.advanced)
  for (const line of record.lines) {
    const key = personKey(project, personOf(line))
    const known = work.after.get(key) ?? work.before.get(key)
    // A key that leaves its own person, of which nothing was ever known.
    if (!known && line.type === 'key.left') continue
    const document = known ?? newDocument
    const changed = applyLine(work, document, line, record, settings)
    const position = record.offset + 1
    const same = changed.position === position && changed.clock === work.clock
    work.after.set(key, same ? changed : { ...changed, position, clock: work.clock })
  }
}

const applyLine = (
  work: FoldWork, document: ProfileDocument, line: FoldLine, record: FoldRecord, settings: DecodeSettings,
): ProfileDocument => {
  switch (line.type) {
    case 'event': return applyEvent(work, document, line, record, settings)
    case 'key.joined':
    case 'key.left': return { ...document, keys: keysAfter(document.keys ?? {}, line) }
    case 'number.expected': return onExpected(document, line, profileAlgebra).document
    case 'number.left': return carryOn(work, record, onLeft(document, line, profileAlgebra))
    case 'number.moved':
      work.clock = Math.max(work.clock, line.clock)
      return carryOn(work, record, onMoved(document, { ...line, state: line.state as ProfileState | null }, profileAlgebra))
  }
}

const applyEvent = (
  work: FoldWork, document: ProfileDocument, line: ResolvedEventLine, record: FoldRecord, settings: DecodeSettings,
): ProfileDocument => {
  const event = decodeEvent(record.header.origins[line.origin]!, settings, line.event)
  // Resolve passes on what can be decoded; a line that cannot was not written by it.
  if (isRefusal(event)) return document
  const slot = document.slots[slotId(line.number, line.epoch)]
  if (slot && work.owned.has(slot.state)) {
    includeEvent(slot.state, event, line.key, line.number)
    return document
  }
  return applyToSlot(document, line, (state) => include(work, copyState(state), event, line), profileAlgebra)
}

const include = (work: FoldWork, state: ProfileState, event: CanonicalEvent, line: ResolvedEventLine): ProfileState => {
  includeEvent(state, event, line.key, line.number)
  work.owned.add(state)
  return state
}

/** The home of a key tells both in its order; the epoch holds an earlier word off. */
const keysAfter = (keys: NonNullable<ProfileDocument['keys']>, { type, key, epoch }: KeyLine): NonNullable<ProfileDocument['keys']> => {
  const { [key]: before = -1, ...others } = keys
  if (before > epoch) return keys
  return type === 'key.joined' ? { ...keys, [key]: epoch } : others
}

const carryOn = (work: FoldWork, record: FoldRecord, step: PersonStep<ProfileDocument, ProfileState>): ProfileDocument => {
  const { project } = record.header
  for (const { number, epoch, person, state } of step.emit) {
    const line: NumberMoved = { type: 'number.moved', for: 'fold', number, epoch, person, state, clock: work.clock }
    const lines = work.moved.get(project)
    if (lines) lines.push(line)
    else work.moved.set(project, [line])
  }
  return step.document
}
