import { decodeHeader, decodeRecord, topics, type IdentityFact, type OriginCount, type RecordHeader } from '@millrace/contracts'
import type { EventLog, HotStore } from '@millrace/ports'
import { factKey } from '@millrace/profile-builder'
import { StartFault } from '../folder/fault.ts'

/** The recorded inputs of every fold; what the folds tell (the map, the flips) is not among them. */
export const RECORDED_TOPICS: readonly string[] = [topics.accepted, topics.rejected, topics.resolved, topics.facts].map(({ name }) => name)
/** Documents that follow from no log: tenants with their keys, and which days the demo shop was given. */
export const SCOPES_BESIDE_THE_LOG: readonly string[] = ['projects', 'demo']

const READ = { recordsMax: 2_000, bytesMax: 8 * 1024 * 1024 }
const SCAN = 1_000

/** What events.resolved accounts for: events of each partition, and repeats, whose partition depends on the batch. */
export interface ResolvedCounts {
  readonly events: readonly number[]
  readonly repeats: number
}

export const countResolved = () => {
  const events: number[] = Array.from({ length: topics.resolved.partitions }, () => 0)
  let repeats = 0
  return {
    add: (partition: number, { count, origins }: RecordHeader): void => {
      events[partition]! += count
      for (const origin of origins as readonly OriginCount[]) repeats += origin.repeats
    },
    counts: (): ResolvedCounts => ({ events: [...events], repeats }),
  }
}

export interface Copied {
  readonly records: number
  readonly resolved: ResolvedCounts
}

/** @throws StartFault when records at the beginning of a topic are gone: what they did cannot be done again */
export const checkWhole = async (source: string, log: Pick<EventLog, 'extents'>): Promise<void> => {
  for (const topic of RECORDED_TOPICS) {
    for (const { partition, first } of await log.extents(topic)) {
      if (first > 0) throw new StartFault(`The log of ${source} is not whole: ${topic}/${partition} begins at record ${first}, so what was before it cannot be replayed.`)
    }
  }
}

interface CopyOptions {
  readonly skipsOffsets?: boolean
  /** The target keeps the last record of each key of a compacted topic, so such records need theirs. */
  readonly keyed?: boolean
}

/**
 * Every recorded topic, each record in its place. Where the source skips offsets (Kafka: ends of transactions, compaction)
 * the copy has none of its gaps; nothing that follows from a record depends on more than the order.
 */
export const copyLog = async (from: Pick<EventLog, 'extents' | 'read'>, to: Pick<EventLog, 'append'>, { skipsOffsets = false, keyed = false }: CopyOptions = {}): Promise<Copied> => {
  const resolved = countResolved()
  let copied = 0
  for (const topic of RECORDED_TOPICS) {
    for (const { partition, next } of await from.extents(topic)) {
      for (let at = 0; at < next; ) {
        const records = await from.read(topic, partition, at, READ)
        const end = records.length === 0 ? at : records.at(-1)!.offset + 1
        if (!skipsOffsets && (records.length === 0 || at + records.length !== end)) throw new StartFault(`The log has a gap in ${topic}/${partition} behind record ${at}.`)
        if (records.length === 0) break
        await to.append(records.map(({ value }) => ({ topic, partition, value, ...(keyed && topic === topics.facts.name ? { key: keyOfFact(value) } : {}) })))
        if (topic === topics.resolved.name) for (const { value } of records) resolved.add(partition, decodeHeader(value))
        copied += records.length
        at = end
      }
    }
  }
  return { records: copied, resolved: resolved.counts() }
}

const keyOfFact = (value: Uint8Array): string => {
  const { header, lines } = decodeRecord(value)
  return factKey(header.project, JSON.parse(String(lines()[0])) as IdentityFact)
}

export const copyScope = async (scope: string, from: HotStore, to: HotStore): Promise<void> => {
  for (let after: string | undefined; ; ) {
    const entries = await from.scan(scope, { prefix: '', limit: SCAN, ...(after === undefined ? {} : { after }) })
    for (const { key, document } of entries) await to.update(scope, key, () => document)
    if (entries.length < SCAN) return
    after = entries.at(-1)!.key
  }
}
