import type { NewRecord } from '@millrace/ports'
import type { Kafka, Producer, TopicMessages } from 'kafkajs'
import type { Names } from './names.ts'
import { withMembership, type Membership } from './patched-kafkajs.ts'

interface PositionCommit {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata: string
}

/** All that one transaction carries: what was produced, and the positions behind what was read. */
export interface Transaction {
  readonly outputs: readonly NewRecord[]
  readonly positions: readonly PositionCommit[]
  readonly membership: Membership
}

export interface Transactor {
  commit(transaction: Transaction): Promise<void>
  close(): Promise<void>
}

const RETRY = { initialRetryTime: 4, multiplier: 1.5, maxRetryTime: 1000, retries: 1000 }
const ATTEMPTS_MAX = 5

/**
 * One producer under a stable transactional id, one transaction at a time. After any error the producer is thrown
 * away: a failed commit leaves kafkajs' own state unusable, and a new `init` with the same id waits for the outcome.
 */
export const createTransactor = async (
  kafka: Kafka,
  { group, transactionalId, names }: { group: string; transactionalId: string; names: Names },
): Promise<Transactor> => {
  let producer: Producer | null = await fresh(kafka, transactionalId)
  let tail: Promise<void> = Promise.resolve()

  const run = async ({ outputs, positions, membership }: Transaction): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      producer ??= await fresh(kafka, transactionalId)
      const current = producer
      const transaction = await current.transaction()
      try {
        if (outputs.length > 0) await transaction.sendBatch({ acks: -1, topicMessages: topicMessages(outputs, names) })
        await transaction.sendOffsets({
          consumerGroupId: group,
          topics: withMembership(topicOffsets(positions, names), membership),
        } as Parameters<typeof transaction.sendOffsets>[0])
        await transaction.commit()
        return
      } catch (error) {
        producer = null
        await transaction.abort().catch(() => undefined)
        await current.disconnect().catch(() => undefined)
        // Right after a commit the coordinator may still be writing its markers; nothing was added to this transaction.
        if (!isConcurrent(error) || attempt >= ATTEMPTS_MAX) throw error
      }
    }
  }
  return {
    commit(transaction) {
      const done = tail.then(() => run(transaction))
      tail = done.catch(() => undefined)
      return done
    },
    async close() {
      await tail
      await producer?.disconnect()
    },
  }
}

/** Only the first transaction() fences an older producer and ends what it left open. */
const fresh = async (kafka: Kafka, transactionalId: string): Promise<Producer> => {
  const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1, transactionTimeout: 10_000, retry: RETRY })
  await producer.connect()
  const first = await producer.transaction()
  await first.abort()
  return producer
}

const isConcurrent = (error: unknown): boolean => (error as { type?: string }).type === 'CONCURRENT_TRANSACTIONS'

export const topicMessages = (records: readonly NewRecord[], names: Names): TopicMessages[] => {
  const byTopic = new Map<string, TopicMessages>()
  for (const { topic, partition, key, value } of records) {
    const entry = byTopic.get(topic) ?? { topic: names.toKafka(topic), messages: [] }
    entry.messages.push({ partition, key: key ?? null, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) })
    byTopic.set(topic, entry)
  }
  return [...byTopic.values()]
}

const topicOffsets = (positions: readonly PositionCommit[], names: Names) =>
  [...new Set(positions.map(({ topic }) => topic))].map((topic) => ({
    topic: names.toKafka(topic),
    partitions: positions
      .filter((position) => position.topic === topic)
      .map(({ partition, offset, metadata }) => ({ partition, offset: String(offset), metadata })),
  }))
