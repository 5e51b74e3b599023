import type { Committed, ConsumeOptions, Extent, HotStore, LogRecord, NewRecord, PartitionConsumer, StateWrite } from '@millrace/ports'
import { StateRefused, StateUnfoldable } from '../state-refused.ts'
import type { Boundaries } from './cut-batch.ts'
import type { Membership } from './repairs.ts'
import type { Transaction } from './transactions.ts'

export interface PartitionDeps {
  readonly topic: string
  /** The topic's name in Kafka. */
  readonly kafkaTopic: string
  readonly partition: number
  readonly options: ConsumeOptions
  readonly hot: HotStore
  /** Of this assignment; `rejoin` brings the next. */
  readonly member: Membership
  /** The group's position; null when it never had one. */
  stored(): Promise<Committed | null>
  extent(): Promise<Extent>
  commit(transaction: Transaction): Promise<void>
  /** There is room again, or another offset is wanted. */
  wakeFetch(): void
  readonly probe: (point: string) => void
  /** How often a partition without traffic looks whether its state is still there. Default 5,000. */
  readonly lookMs?: number
}

/** From one opening to the next: all of it is forgotten together. */
export interface Stay {
  readonly consumer: PartitionConsumer
  readonly member: Membership
  readonly boundaries: Boundaries
  position: Committed
  /** The watermark that the consumer's memory stands on. */
  built: number
  lookedAt: number
  buffer: LogRecord[]
  bufferBytes: number
  next: number
  end: number
  caughtUp: boolean
  filledAt: number
}

export const LOOK_MS = 5_000

/** Opens the partition from what is stored, under the membership of now. */
export const openStay = async (deps: PartitionDeps, member: Membership): Promise<Stay> => {
  const { topic, partition, options } = deps
  // The position is read under a membership that began before: whoever owned the partition until then can commit no more.
  const stored = await deps.stored()
  const { first } = await deps.extent()
  const committed = stored ?? { offset: first, metadata: '' }
  let opened: Stay | null = null
  const declare = async (metadata: string): Promise<void> => {
    const position = { offset: opened?.position.offset ?? committed.offset, metadata }
    await commitAt(deps, member, [], position)
    if (opened) opened.position = position
  }
  const consumer = await options.open({ topic, partition, committed, declare })
  try {
    checkStart(deps, consumer, committed, first)
  } catch (error) {
    await consumer.close()
    throw error
  }
  // A group that begins has lost nothing of what was deleted before; one that has a position has.
  const from = stored ? consumer.from : Math.max(consumer.from, first)
  const now = performance.now()
  opened = {
    consumer, member, boundaries: { committed: committed.offset, declaredEnd: consumer.firstBatchEnd }, position: committed, built: consumer.from, lookedAt: now,
    buffer: [], bufferBytes: 0, next: from, end: from, caughtUp: false, filledAt: now,
  }
  return opened
}

/** A lost state is folded again from the log, but not from one that has let its beginning go: what is missing would never be missed. */
const checkStart = ({ topic, partition, options }: PartitionDeps, { scope, from }: PartitionConsumer, committed: Committed, first: number): void => {
  if (from > committed.offset) throw new Error(`${options.group} would start at ${from}, behind its position ${committed.offset}`)
  // Who has committed nothing yet, or not beyond the first record, is new and begins where the log does.
  if (scope === undefined || from >= first || committed.offset <= first) return
  throw new StateUnfoldable(`the state of ${scope} ends at ${from}, and ${topic}/${partition} begins at ${first}: restore the state, or the log, from a backup`)
}

export const commitAt = ({ topic, partition, commit }: PartitionDeps, membership: Membership, outputs: readonly NewRecord[], position: Committed): Promise<void> =>
  commit({ outputs, positions: [{ topic, partition, ...position }], membership })

/** Refused when a copy that lost this partition wrote late, or when the store was flushed or went back: memory and store differ. */
export const keep = async ({ topic, hot }: PartitionDeps, stay: Stay, write: StateWrite): Promise<void> => {
  if (stay.consumer.scope !== write.scope) throw new Error(`the consumer of ${topic} writes the state of ${write.scope} without saying so when it opens`)
  if (!(await hot.apply(write, stay.built))) throw new StateRefused(`the state of ${write.scope} at ${write.watermark} was not taken over ${stay.built}`)
  stay.built = write.watermark
}

export const isTimeToLook = ({ lookMs = LOOK_MS }: PartitionDeps, { consumer, lookedAt }: Stay): boolean =>
  consumer.scope !== undefined && performance.now() - lookedAt >= lookMs

/** Without traffic no write would notice that the state is gone. */
export const look = async ({ hot }: PartitionDeps, stay: Stay): Promise<void> => {
  const { consumer: { scope }, built } = stay
  stay.lookedAt = performance.now()
  const stored = (await hot.watermark(scope!)) ?? 0
  if (stored !== built) throw new StateRefused(`the state of ${scope} is at ${stored}, this copy built on ${built}`)
}
