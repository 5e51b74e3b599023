import type { NewRecord } from '@millrace/ports'
import type { Kafka, Producer } from 'kafkajs'
import { chunksOf, topicMessages } from './chunks.ts'
import { retryFor } from './client.ts'
import { errorType } from './faults.ts'
import type { Names } from './names.ts'
import { patiently } from './positions.ts'
import { withMembership, type Membership } from './repairs.ts'

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

export interface TransactorOptions {
  /** As the services call it, in the names of points. */
  readonly name: string
  /** As Kafka calls it. */
  readonly group: string
  /** Stable over restarts of this copy: its first `init` ends at once what it left open. */
  readonly transactionalId: string
  readonly names: Names
  readonly timeoutMs: number
  readonly probe: (point: string) => void
}

const CONCURRENT_TRIES_MAX = 200
const CONCURRENT_WAIT_MS = 3
const CLOSE_MS_MAX = 5_000

/**
 * One producer under a stable transactional id, one transaction at a time. After any error the producer is thrown
 * away: a failed commit leaves kafkajs' own state unusable, and a new `init` with the same id waits for the outcome.
 */
export const createTransactor = async (kafka: Kafka, options: TransactorOptions): Promise<Transactor> => {
  const { name, group, names, probe } = options
  // A broker that is away just now must not keep this copy from starting.
  let producer: Producer | null = await patiently(() => fresh(kafka, options))
  let tail: Promise<void> = Promise.resolve()

  const attempt = async (current: Producer, { outputs, positions, membership }: Transaction): Promise<'done' | 'busy'> => {
    const transaction = await current.transaction()
    try {
      for (const chunk of chunksOf(outputs)) await transaction.sendBatch({ acks: -1, topicMessages: topicMessages(chunk, names) })
      probe(`transaction.after-send:${name}`)
      const topics = withMembership(topicOffsets(positions, names), membership)
      await transaction.sendOffsets({ consumerGroupId: group, topics } as Parameters<typeof transaction.sendOffsets>[0])
      probe(`transaction.before-end:${name}`)
      await transaction.commit()
      return 'done'
    } catch (error) {
      const busy = errorType(error) === 'CONCURRENT_TRANSACTIONS' && outputs.length === 0
      await transaction.abort().catch((abortError: unknown) => {
        if (busy) throw abortError
      })
      // Right after a commit the coordinator may still be writing its markers; nothing was added to this transaction.
      if (busy) return 'busy'
      throw error
    }
  }
  const run = async (transaction: Transaction): Promise<void> => {
    producer ??= await fresh(kafka, options)
    const current = producer
    try {
      for (let tries = 1; (await attempt(current, transaction)) === 'busy'; tries++) {
        if (tries === CONCURRENT_TRIES_MAX) throw new Error(`the transaction coordinator was busy ${tries} times`)
        await new Promise((resolve) => setTimeout(resolve, CONCURRENT_WAIT_MS))
      }
    } catch (error) {
      producer = null
      await current.disconnect().catch(() => undefined)
      throw error
    }
  }
  return {
    commit(transaction) {
      const done = tail.then(() => run(transaction))
      tail = done.catch(() => undefined)
      return done
    },
    async close() {
      // Without a broker kafkajs would go on trying; what is open then ends by its time.
      await Promise.race([tail, new Promise((resolve) => setTimeout(resolve, CLOSE_MS_MAX).unref())])
      await producer?.disconnect()
    },
  }
}

/** Only the first transaction() fences an older producer and ends what it left open. */
const fresh = async (kafka: Kafka, { transactionalId, timeoutMs }: TransactorOptions): Promise<Producer> => {
  const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1, transactionTimeout: timeoutMs, retry: retryFor(1_000) })
  try {
    await producer.connect()
    const first = await producer.transaction()
    await first.abort()
    return producer
  } catch (error) {
    await producer.disconnect().catch(() => undefined)
    throw error
  }
}

const topicOffsets = (positions: readonly PositionCommit[], names: Names) =>
  [...new Set(positions.map(({ topic }) => topic))].map((topic) => ({
    topic: names.toKafka(topic),
    partitions: positions
      .filter((position) => position.topic === topic)
      .map(({ partition, offset, metadata }) => ({ partition, offset: String(offset), metadata })),
  }))
