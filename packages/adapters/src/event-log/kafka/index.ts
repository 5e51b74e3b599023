import { allTopics } from '@millrace/contracts'
import { LogUnavailable, type Committed, type EventLog, type Extent, type HotStore, type LogRecord, type ReadBounds, type Subscription } from '@millrace/ports'
import type { Admin, Kafka } from 'kafkajs'
import { consumeKafka } from './consume.ts'
import { loadKafka } from './patched-kafkajs.ts'
import { topicMessages } from './transactions.ts'

export interface KafkaLogOptions {
  readonly brokers: readonly string[]
  /** Stable name of this copy of the service, never random: `0`, `1`, … */
  readonly slot: string
  /** Where the state of consumers is kept, written right after the commit. */
  readonly hot: HotStore
  readonly requestTimeoutMs?: number
}

const RETRY = { initialRetryTime: 4, multiplier: 1.5, maxRetryTime: 1000, retries: 20 }

/** The event log on Apache Kafka, through kafkajs 2.2.4 with two repairs. Topics must exist (`createTopics`). */
export const createKafkaLog = async ({ brokers, slot, hot, requestTimeoutMs = 10_000 }: KafkaLogOptions): Promise<EventLog> => {
  const { Kafka: KafkaClass, generationOf } = loadKafka()
  const kafka: Kafka = new KafkaClass({ clientId: `millrace-${slot}`, brokers: [...brokers], logLevel: 0, requestTimeout: requestTimeoutMs, retry: RETRY })
  const admin = kafka.admin()
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, retry: RETRY })
  const subscriptions = new Set<Subscription>()
  await admin.connect()
  await producer.connect()

  const committed = (group: string, topic: string, partition: number): Promise<Committed> => committedOf(admin, group, topic, partition)
  return {
    async append(records) {
      if (records.length === 0) return
      try {
        await producer.sendBatch({ acks: -1, topicMessages: topicMessages(records) })
      } catch (error) {
        throw new LogUnavailable('LOG_BUSY', `Kafka took no record: ${(error as Error).message}`)
      }
    },
    async consume(options) {
      const subscription = await consumeKafka({ kafka, generationOf, slot, hot, committed }, options)
      subscriptions.add(subscription)
      return {
        drain: () => subscription.drain(),
        stop: () => {
          subscriptions.delete(subscription)
          return subscription.stop()
        },
      }
    },
    read: (topic, partition, from, bounds) => readOnce(kafka, admin, { topic, partition, from, bounds }),
    extents: (topic) => extentsOf(admin, topic),
    committed,
    async ready() {
      try {
        await admin.describeCluster()
      } catch (error) {
        throw new LogUnavailable('LOG_BUSY', `no Kafka broker answers: ${(error as Error).message}`)
      }
    },
    async close() {
      for (const subscription of subscriptions) await subscription.stop()
      await producer.disconnect()
      await admin.disconnect()
    },
  }
}

/** Creates the topics of the contracts table that do not exist yet. */
export const createTopics = async (brokers: readonly string[]): Promise<void> => {
  const { Kafka: KafkaClass } = loadKafka()
  const admin = new KafkaClass({ clientId: 'millrace-topics', brokers: [...brokers], logLevel: 0 }).admin()
  await admin.connect()
  await admin.createTopics({ waitForLeaders: true, topics: allTopics.map(({ name, partitions }) => ({ topic: name, numPartitions: partitions, replicationFactor: 1 })) })
  await admin.disconnect()
}

const committedOf = async (admin: Admin, group: string, topic: string, partition: number): Promise<Committed> => {
  const [answer] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  const found = answer?.partitions.find((candidate) => candidate.partition === partition)
  return found && Number(found.offset) >= 0 ? { offset: Number(found.offset), metadata: found.metadata ?? '' } : { offset: 0, metadata: '' }
}

const extentsOf = async (admin: Admin, topic: string): Promise<readonly Extent[]> =>
  (await admin.fetchTopicOffsets(topic))
    .map(({ partition, low, high }) => ({ partition, first: Number(low), next: Number(high) }))
    .sort((a, b) => a.partition - b.partition)

interface Read {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly bounds: ReadBounds
}

const QUIET_FETCHES = 3

/** kafkajs reads only as a member of a group: a group of its own, left at once. For tools and replay, not for a hot path. */
const readOnce = async (kafka: Kafka, admin: Admin, { topic, partition, from, bounds }: Read): Promise<readonly LogRecord[]> => {
  const end = (await extentsOf(admin, topic)).find((extent) => extent.partition === partition)?.next ?? 0
  if (from >= end) return []
  const groupId = `millrace-read-${topic}-${partition}-${from}-${process.pid}-${process.hrtime.bigint()}`
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, maxBytesPerPartition: Math.max(bounds.bytesMax, 1_048_576) })
  const records: LogRecord[] = []
  let bytes = 0
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    let quiet = 0
    let sought = false
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const others = (payload.memberAssignment[topic] ?? []).filter((candidate) => candidate !== partition)
      if (others.length > 0) consumer.pause([{ topic, partitions: others }])
      consumer.seek({ topic, partition, offset: String(from) })
      sought = true
    })
    consumer.on(consumer.events.FETCH, ({ payload }) => {
      quiet = sought && payload.numberOfBatches === 0 ? quiet + 1 : 0
      if (quiet >= QUIET_FETCHES) resolve()
    })
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          if (batch.partition !== partition) return
          for (const { offset, value } of batch.messages) {
            if (Number(offset) < from || value === null) continue
            const full = records.length >= bounds.recordsMax || (records.length > 0 && bytes + value.length > bounds.bytesMax)
            if (full) return resolve()
            records.push({ topic, partition, offset: Number(offset), value })
            bytes += value.length
          }
          if (Number(batch.lastOffset()) + 1 >= end) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  await admin.deleteGroups([groupId]).catch(() => undefined)
  return records
}
