import type { ResolvedLine } from '@millrace/contracts'
import { compareOrder, decodeRecord, encodeRecord, partitionOfPerson, topics } from '@millrace/contracts'
import type { Addable, Moved, PersonDocument } from '@millrace/identity'
import { activeSlots, applyToSlot, isHeld, onExpected, onLeft, onMoved } from '@millrace/identity'
import type { Batch, ConsumeOptions, HotStore, NewRecord, Step } from '@millrace/ports'
import { openOwnScope } from '@millrace/service-kit'
import { ScopeDocuments } from '../../../src/scope-documents.ts'

/** A profile and a segment of the plainest kind, on the real person side: enough to see any event lost, doubled or mixed. */
export interface Tally {
  readonly count: number
  readonly sum: number
  readonly first: string
  readonly last: string
}

export interface SmallPerson extends PersonDocument<Tally> {
  /** Flips so far; odd: a member. */
  readonly flips: number
}

export const MEMBER_FROM_SUM = 20

const order = (text: string) => JSON.parse(text) as { time: number; messageId: string }
const earlier = (a: string, b: string): string => (compareOrder(order(a), order(b)) <= 0 ? a : b)
const later = (a: string, b: string): string => (compareOrder(order(a), order(b)) >= 0 ? a : b)

export const tally: Addable<Tally> = {
  empty: () => ({ count: 0, sum: 0, first: '', last: '' }),
  isEmpty: (state) => state.count === 0,
  add: (a, b) =>
    a.count === 0
      ? b
      : b.count === 0
        ? a
        : { count: a.count + b.count, sum: a.sum + b.sum, first: earlier(a.first, b.first), last: later(a.last, b.last) },
}

export interface PersonFolds {
  readonly onExpected: typeof onExpected
  readonly onLeft: typeof onLeft
  readonly onMoved: typeof onMoved
  readonly isHeld: typeof isHeld
  /** Which stay an event or a move belongs to. */
  readonly epochOf: (epoch: number) => number
}

export const personFolds: PersonFolds = { onExpected, onLeft, onMoved, isHeld, epochOf: (epoch) => epoch }

export const smallScope = (partition: number): string => `fold:${partition}`

export interface SmallDeps {
  readonly hot: HotStore
  readonly partitions: number
  readonly folds: PersonFolds
}

export const openSmallFold = ({ hot, partitions, folds }: SmallDeps): ConsumeOptions => ({
  group: 'fold',
  topics: [topics.resolved.name],
  batchRecordsMax: 100,
  batchBytesMax: 1_000_000,
  lingerMs: 0,
  onFault: (error) => {
    throw error
  },
  open: async (assignment) => {
    const scope = await openOwnScope(hot, smallScope(assignment.partition), assignment)
    const cache = new ScopeDocuments(scope, 20)
    return {
      from: scope.from,
      handle: (batch) => foldBatch({ cache, scope: scope.name, partitions, folds }, batch),
      stored: ({ end }) => cache.stored(end),
      close: async () => {},
    }
  },
})

interface State {
  readonly cache: ScopeDocuments
  readonly scope: string
  readonly partitions: number
  readonly folds: PersonFolds
}

const foldBatch = async (state: State, batch: Batch): Promise<Step> => {
  const outputs: NewRecord[] = []
  for (const record of batch.records) {
    const { header, lines } = decodeRecord(record.value)
    for (const line of lines()) {
      const parsed = JSON.parse(line.toString()) as ResolvedLine
      if (!('person' in parsed)) continue
      const id = `${header.project}/${parsed.person}`
      await state.cache.load([id])
      const before = (state.cache.get(id) as SmallPerson | null) ?? { slots: {}, flips: 0 }
      const { document, emit } = onLine(state.folds, before, parsed)
      const flipped = evaluate(state.folds, document)
      if (flipped !== document) outputs.push(flipRecord(header.project, parsed.person, flipped.flips))
      state.cache.set(id, flipped)
      for (const moved of emit) outputs.push(movedRecord(header.project, state.partitions, moved))
    }
  }
  return { outputs, state: { scope: state.scope, watermark: batch.end, ...state.cache.takeChanges(), timers: [] } }
}

const onLine = (
  folds: PersonFolds,
  before: SmallPerson,
  line: ResolvedLine,
): { readonly document: SmallPerson; readonly emit: readonly Moved<Tally>[] } => {
  const epoch = folds.epochOf('epoch' in line ? line.epoch : 0)
  switch (line.type) {
    case 'event': {
      const change = (state: Tally): Tally => tally.add(state, tallyOf(line.event))
      return { document: applyToSlot(before, { number: line.number, epoch }, change, tally), emit: [] }
    }
    case 'number.expected':
      return folds.onExpected(before, { number: line.number, epoch }, tally)
    case 'number.left':
      return folds.onLeft(before, { ...line, epoch }, tally)
    case 'number.moved':
      return folds.onMoved(before, { number: line.number, epoch, state: line.state as Tally | null }, tally)
    default:
      return { document: before, emit: [] }
  }
}

export const tallyOf = (event: unknown): Tally => {
  const { messageId, timestamp, properties } = event as { messageId: string; timestamp: string; properties?: { amount?: number } }
  const at = JSON.stringify({ time: Date.parse(timestamp), messageId })
  return { count: 1, sum: properties?.amount ?? 0, first: at, last: at }
}

/** Over the slots that are here; while a past is on its way the answer waits. */
const evaluate = (folds: PersonFolds, document: SmallPerson): SmallPerson => {
  if (folds.isHeld(document)) return document
  const isMember = activeSlots<Tally>(document).reduce((sum, slot) => sum + slot.state.sum, 0) >= MEMBER_FROM_SUM
  return isMember === (document.flips % 2 === 1) ? document : { ...document, flips: document.flips + 1 }
}

const flipRecord = (project: number, person: string, number: number): NewRecord => ({
  topic: topics.segmentChanged.name,
  partition: 0,
  value: encodeRecord({ kind: 'flips', project, count: 0, origins: [] }, [JSON.stringify({ person, number })]),
})

const movedRecord = (project: number, partitions: number, moved: Moved<Tally>): NewRecord => {
  const line = { type: 'number.moved', for: 'fold', ...moved, clock: 0 } as const
  const value = encodeRecord({ kind: 'resolved', project, count: 0, origins: [] }, [JSON.stringify(line)])
  return { topic: topics.resolved.name, partition: partitionOfPerson(moved.person, partitions), value }
}
