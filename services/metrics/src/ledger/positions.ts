import { topics } from '@millrace/contracts'
import type { EventLog } from '@millrace/ports'
import { addRecord, type HourKey } from './received.ts'

/** Positions of one moment: everything below them is settled, everything from them on is in the lag. */
export interface Positions {
  /** Of events.accepted: how far resolve is, and the end. */
  readonly accepted: readonly Span[]
  /** Of events.resolved: how far the sink is, and the end. */
  readonly resolved: readonly Span[]
  readonly rejected: readonly Span[]
}
export interface Span {
  readonly topic: string
  readonly partition: number
  readonly settled: number
  readonly end: number
}

type Log = Pick<EventLog, 'extents' | 'committed' | 'read'>

const RESOLVE_GROUP = 'resolve'
const SINK_GROUP = 'sink'
const TRIES_MAX = 20

/**
 * resolve moves an event from the lag of one topic to that of the next in one step. So its positions are read again
 * behind the ends of events.resolved: when they did not move, both belong to one moment. The sink may go on meanwhile,
 * since stored rows are counted below the position that was read.
 */
export const readPositions = async (log: Log): Promise<Positions> => {
  let before = await settled(log, RESOLVE_GROUP, topics.accepted)
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const resolvedEnds = await log.extents(topics.resolved.name)
    const after = await settled(log, RESOLVE_GROUP, topics.accepted)
    if (after.every((offset, partition) => offset === before[partition])) {
      return {
        accepted: await spans(log, topics.accepted.name, after),
        resolved: await spansTo(log, topics.resolved, resolvedEnds),
        rejected: await spansTo(log, topics.rejected, await log.extents(topics.rejected.name)),
      }
    }
    before = after
  }
  throw new Error('the positions of resolve did not stand still for one reading')
}

type TopicOf = { readonly name: string; readonly partitions: number }
type Ends = Awaited<ReturnType<Log['extents']>>

const settled = (log: Log, group: string, { name, partitions }: TopicOf): Promise<readonly number[]> =>
  Promise.all(Array.from({ length: partitions }, async (_, partition) => (await log.committed(group, name, partition)).offset))

const spans = async (log: Log, topic: string, offsets: readonly number[]): Promise<readonly Span[]> =>
  (await log.extents(topic)).map(({ partition, next }) => ({ topic, partition, settled: offsets[partition] ?? 0, end: next }))

/** The sink may have passed an end that was read before it: then nothing is in the lag. */
const spansTo = async (log: Log, topic: TopicOf, ends: Ends): Promise<readonly Span[]> => {
  const offsets = await settled(log, SINK_GROUP, topic)
  return ends.map(({ partition, next }) => ({ topic: topic.name, partition, settled: Math.min(offsets[partition] ?? 0, next), end: next }))
}

const READ = { recordsMax: 2000, bytesMax: 8 * 1024 * 1024 }

/** Adds the events of all records of a span, by their headers. Longer spans take longer: one header a record. */
export const countSpan = async (log: Log, counts: Map<HourKey, number>, { topic, partition, settled: from, end }: Span): Promise<void> => {
  for (let at = from; at < end; ) {
    const records = await log.read(topic, partition, at, READ)
    if (records.length === 0) return
    for (const record of records) if (record.offset < end) addRecord(counts, record.value)
    at = records.at(-1)!.offset + 1
  }
}
