import { allTopics, topicNamed } from '@millrace/contracts'
import { LogUnavailable, type Committed, type EventLog, type Extent, type HotStore, type NewRecord, type Subscription } from '@millrace/ports'
import type { Admin, Kafka } from 'kafkajs'
import { consumeKafka } from './consume.ts'
import { namesWith } from './names.ts'
import { loadKafka } from './patched-kafkajs.ts'
import { readOnce } from './read.ts'
import { topicMessages } from './transactions.ts'

export interface KafkaLogOptions {
  readonly brokers: readonly string[]
  /** Stable name of this copy of the service, never random: `0`, `1`, … */
  readonly slot: string
  /** Where the state of consumers is kept, written right after the commit. */
  readonly hot: HotStore
  /** Before every topic, group and transactional id, where several Millraces share one Kafka. */
  readonly prefix?: string
  /** Bytes that may wait for the brokers before an append is refused with LOG_BUSY. Default 64 MiB. */
  readonly waitingBytesMax?: number
}

const RETRY = { initialRetryTime: 4, multiplier: 1.5, maxRetryTime: 1000, retries: 20 }

/** The event log on Apache Kafka, through kafkajs 2.2.4 with two repairs. Topics must exist (`createTopics`). */
export const createKafkaLog = async ({ brokers, slot, hot, prefix = '', waitingBytesMax = 64 * 1024 * 1024 }: KafkaLogOptions): Promise<EventLog> => {
  const { Kafka: KafkaClass, generationOf } = loadKafka()
  const kafka: Kafka = new KafkaClass({ clientId: `millrace-${slot}`, brokers: [...brokers], logLevel: 0, requestTimeout: 10_000, retry: RETRY })
  const names = namesWith(prefix)
  const admin = kafka.admin()
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, retry: RETRY })
  const subscriptions = new Set<Subscription>()
  let waiting = 0
  let closed = false
  await admin.connect()
  await producer.connect()

  const checkOpen = (): void => {
    if (closed) throw new LogUnavailable('LOG_CLOSED', 'the log is closed')
  }
  const extents = (topic: string): Promise<readonly Extent[]> => extentsOf(admin, names.toKafka(topic))
  const committed = async (group: string, topic: string, partition: number): Promise<Committed> =>
    (await committedOf(admin, names.toKafka(group), names.toKafka(topic), partition)) ?? { offset: await first(topic, partition), metadata: '' }

  const first = (topic: string, partition: number): Promise<number> => firstOf(extents, topic, partition)

  const append = async (records: readonly NewRecord[]): Promise<void> => {
    checkOpen()
    checkPlaces(records)
    if (records.length === 0) return
    const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
    if (waiting > 0 && waiting + bytes > waitingBytesMax) throw new LogUnavailable('LOG_BUSY', `${waiting} bytes wait for the brokers`)
    waiting += bytes
    try {
      await producer.sendBatch({ acks: -1, topicMessages: topicMessages(records, names) })
    } catch (error) {
      throw new LogUnavailable('LOG_BUSY', `Kafka took no record: ${(error as Error).message}`)
    } finally {
      waiting -= bytes
    }
  }
  return {
    append,
    async consume(options) {
      checkOpen()
      const subscription = await consumeKafka({ kafka, generationOf, names, slot, hot, committed, first }, options)
      subscriptions.add(subscription)
      return {
        drain: () => subscription.drain(),
        stop: () => (subscriptions.delete(subscription) ? subscription.stop() : Promise.resolve()),
      }
    },
    read: async (topic, partition, from, bounds) => {
      const end = (await extents(topic)).find((extent) => extent.partition === partition)?.next ?? 0
      return from >= end ? [] : readOnce({ kafka, admin }, { topic, kafkaTopic: names.toKafka(topic), partition, from, end, bounds })
    },
    extents,
    committed,
    async ready() {
      checkOpen()
      try {
        await admin.describeCluster()
      } catch (error) {
        throw new LogUnavailable('LOG_BUSY', `no Kafka broker answers: ${(error as Error).message}`)
      }
    },
    async close() {
      if (closed) return
      closed = true
      for (const subscription of subscriptions) await subscription.stop()
      await producer.disconnect()
      await admin.disconnect()
    },
  }
}

/** Creates the topics of the contracts table that do not exist yet. */
export const createTopics = async (brokers: readonly string[], prefix = ''): Promise<void> => {
  const { Kafka: KafkaClass } = loadKafka()
  const admin = new KafkaClass({ clientId: 'millrace-topics', brokers: [...brokers], logLevel: 0 }).admin()
  await admin.connect()
  await admin.createTopics({
    waitForLeaders: true,
    topics: allTopics.map(({ name, partitions, compacted }) => ({
      topic: prefix + name, numPartitions: partitions, replicationFactor: 1,
      ...(compacted ? { configEntries: [{ name: 'cleanup.policy', value: 'compact' }] } : {}),
    })),
  })
  await admin.disconnect()
}

const committedOf = async (admin: Admin, group: string, topic: string, partition: number): Promise<Committed | null> => {
  const [answer] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  const found = answer?.partitions.find((candidate) => candidate.partition === partition)
  return found && Number(found.offset) >= 0 ? { offset: Number(found.offset), metadata: found.metadata ?? '' } : null
}

const firstOf = async (extents: (topic: string) => Promise<readonly Extent[]>, topic: string, partition: number): Promise<number> =>
  (await extents(topic)).find((extent) => extent.partition === partition)?.first ?? 0

const LEADER_TRIES = 20

const extentsOf = async (admin: Admin, topic: string): Promise<readonly Extent[]> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await admin.fetchTopicOffsets(topic))
        .map(({ partition, low, high }) => ({ partition, first: Number(low), next: Number(high) }))
        .sort((a, b) => a.partition - b.partition)
    } catch (error) {
      // A new topic, or one whose broker restarts, has no leader for a moment; kafkajs does not ask again by itself.
      if (!(error as { retriable?: boolean }).retriable || attempt === LEADER_TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, 20 * attempt))
    }
  }
}

/** kafkajs would go on trying for a partition that does not exist. */
const checkPlaces = (records: readonly NewRecord[]): void => {
  for (const { topic, partition } of records)
    if (!(partition >= 0 && partition < topicNamed(topic).partitions)) throw new Error(`the topic ${topic} has no partition ${partition}`)
}
