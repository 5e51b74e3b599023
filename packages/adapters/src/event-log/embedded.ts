import { allTopics, type Topic } from '@millrace/contracts'
import { LogUnavailable, type EventLog, type NewRecord, type Subscription } from '@millrace/ports'
import { createCodec } from '../hot-store/codec.ts'
import type { LmdbRoot } from '../lmdb/open.ts'
import { subscribe, type BackOff } from './embedded-subscription.ts'
import { planRecords, readExtent, readPosition, readRecords, recordsBytes } from './embedded-records.ts'
import { createTurns } from './embedded-turns.ts'
import { createWakeUps } from './embedded-wake-ups.ts'
import { refuse } from './refusal.ts'

export interface EmbeddedLogOptions {
  readonly root: LmdbRoot
  /** Default: the topics of the contracts. */
  readonly topics?: readonly Pick<Topic, 'name' | 'partitions'>[] | undefined
  /** Bytes that may wait for a commit before an append is refused with LOG_BUSY. Default 64 MiB. */
  readonly waitingBytesMax?: number | undefined
  /** Pause before a partition is opened again after a fault. Default 100 ms, doubled up to 5 s. */
  readonly backOff?: BackOff | undefined
}

/** The log in one lmdb environment: a commit is a transaction, and consumers of this process are woken by it. */
export const createEmbeddedLog = (options: EmbeddedLogOptions): EventLog => {
  const { root } = options
  const topics = new Map((options.topics ?? allTopics).map((topic) => [topic.name, topic.partitions]))
  const waitingBytesMax = options.waitingBytesMax ?? 64 * 1024 * 1024
  const wakeUps = createWakeUps(root)
  const turns = createTurns()
  const codec = createCodec()
  const subscriptions = new Set<Subscription>()
  const taken = new Set<string>()
  let closed = false

  const partitionsOf = (topic: string): number => {
    const partitions = topics.get(topic)
    if (partitions === undefined) throw new Error(`the log has no topic named ${topic}`)
    return partitions
  }
  const checkOpen = (): void => {
    if (closed) throw new LogUnavailable('LOG_CLOSED', 'the log is closed')
  }

  return {
    append: async (records) => {
      checkOpen()
      if (records.length === 0) return
      checkPlaces(records, partitionsOf)
      const bytes = recordsBytes(records)
      const waiting = root.commits.waitingBytes()
      if (waiting > 0 && waiting + bytes > waitingBytesMax) throw busy(waiting)
      await append(root, records, bytes)
    },
    consume: async (consume) => {
      checkOpen()
      const names = consume.topics.map((topic) => `${consume.group} ${topic}`)
      if (names.some((name) => taken.has(name))) throw new Error(`the group ${consume.group} consumes this already`)
      const partitions = consume.topics.flatMap((topic) => count(partitionsOf(topic)).map((partition) => ({ topic, partition })))
      names.forEach((name) => taken.add(name))
      const backOff = options.backOff ?? { firstMs: 100, mostMs: 5_000 }
      const subscription = subscribe({ root, wakeUps, turns, codec, backOff, consume, partitions })
      const stopOnce = once(async () => {
        await subscription.stop()
        names.forEach((name) => taken.delete(name))
        subscriptions.delete(handle)
      })
      const handle: Subscription = { drain: subscription.drain, stop: stopOnce }
      subscriptions.add(handle)
      return handle
    },
    read: async (topic, partition, from, bounds) => {
      partitionsOf(topic)
      return readRecords(root, topic, partition, from, readExtent(root, topic, partition).next, bounds)
    },
    extents: async (topic) => count(partitionsOf(topic)).map((partition) => readExtent(root, topic, partition)),
    committed: async (group, topic, partition) => readPosition(root, group, topic, partition),
    ready: async () => {
      checkOpen()
      const waiting = root.commits.waitingBytes()
      if (waiting >= waitingBytesMax) throw busy(waiting)
      await root.room.check().catch(refuse)
    },
    close: once(async () => {
      closed = true
      await Promise.all([...subscriptions].map((subscription) => subscription.stop()))
      wakeUps.stop()
    }),
  }
}

const POINTS = { before: 'log.append.before-commit', after: 'log.append.after-commit' }

const append = async (root: LmdbRoot, records: readonly NewRecord[], bytes: number): Promise<void> => {
  try {
    // Reserve the place in the queue in the same turn, so that one caller's appends keep their order.
    root.room.checkKnown()
    await root.commits.commit({ bytes, points: POINTS, plan: (writes) => planRecords(writes, records) })
  } catch (error) {
    refuse(error)
  }
}

const busy = (bytes: number): LogUnavailable => new LogUnavailable('LOG_BUSY', `${bytes} bytes wait to be committed`)

const checkPlaces = (records: readonly NewRecord[], partitionsOf: (topic: string) => number): void => {
  for (const { topic, partition } of records) {
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitionsOf(topic)) {
      throw new Error(`the topic ${topic} has no partition ${partition}`)
    }
  }
}

const count = (n: number): number[] => Array.from({ length: n }, (_, index) => index)

const once = (run: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | undefined
  return () => (done ??= run())
}
