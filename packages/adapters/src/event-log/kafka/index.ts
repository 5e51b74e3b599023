import { topicNamed } from '@millrace/contracts'
import { LogUnavailable, type EventLog, type HotStore, type Subscription } from '@millrace/ports'
import type { KafkaAccess } from './access.ts'
import { createAppender } from './append.ts'
import { checkRecords } from './chunks.ts'
import { createClient, retryFor } from './client.ts'
import { errorType } from './faults.ts'
import { consumeKafka } from './consume.ts'
import { namesWith } from './names.ts'
import { createPositions } from './positions.ts'
import { readOnce } from './read.ts'

export interface KafkaLogOptions {
  readonly brokers: readonly string[]
  readonly access?: KafkaAccess | undefined
  /** Stable name of this copy of the service, never random: `0`, `1`, … Two copies with one name fence each other. */
  readonly slot: string
  /** Where the state of consumers is kept, written right after the commit. */
  readonly hot: HotStore
  /** Before every topic, group and transactional id, where several Millraces share one Kafka. */
  readonly prefix?: string
  /** Bytes that may wait for the brokers before an append is refused with LOG_BUSY. Default 64 MiB. */
  readonly waitingBytesMax?: number
  /** After so long without an answer an append is refused with LOG_BUSY. Default 8 s. */
  readonly appendTimeoutMs?: number
  /** A copy that is silent for so long loses its partitions. Default 6 s. */
  readonly sessionTimeoutMs?: number
  /** A transaction of a copy that is gone for good holds up readers for so long. Default 10 s. */
  readonly transactionTimeoutMs?: number
  /** Called at the named points of a step, for kill tests. */
  readonly probe?: (point: string) => void
}

const READY_MS_MAX = 3_000

/** The event log on Apache Kafka, through kafkajs 2.2.4 with its repair. Topics must exist (`ensureKafkaTopics`). */
export const createKafkaLog = async (options: KafkaLogOptions): Promise<EventLog> => {
  const { brokers, slot, hot, prefix = '', probe = () => {} } = options
  const client = createClient(brokers, `millrace-${slot}`, options.access)
  const names = namesWith(prefix)
  // What must go on asks again by itself (`positions`).
  const admin = client.kafka.admin({ retry: retryFor(6) })
  const reader = client.createCluster()
  const appender = createAppender({ createLine: client.createLine, names, waitingBytesMax: options.waitingBytesMax ?? 64 * 1024 * 1024, timeoutMs: options.appendTimeoutMs ?? 8_000 })
  const positions = createPositions({ admin, cluster: reader, names })
  const subscriptions = new Set<Subscription>()
  let closed = false
  try {
    await admin.connect()
    await reader.connect()
  } catch (error) {
    await admin.disconnect()
    throw error
  }

  const checkOpen = (): void => {
    if (closed) throw new LogUnavailable('LOG_CLOSED', 'the log is closed')
  }
  return {
    async append(records) {
      checkOpen()
      checkRecords(records, (topic) => topicNamed(topic).partitions)
      if (records.length === 0) return
      probe('log.append.before-commit')
      await appender.append(records)
      probe('log.append.after-commit')
    },
    async consume(consumeOptions) {
      checkOpen()
      const { sessionTimeoutMs = 6_000, transactionTimeoutMs = 10_000 } = options
      const subscription = await consumeKafka({ client, names, slot, hot, positions, sessionTimeoutMs, transactionTimeoutMs, probe }, consumeOptions)
      subscriptions.add(subscription)
      return {
        drain: () => subscription.drain(),
        stop: () => (subscriptions.delete(subscription) ? subscription.stop() : Promise.resolve()),
      }
    },
    async read(topic, partition, from, bounds) {
      checkOpen()
      const readFrom = (at: number) => readOnce(reader, { topic, kafkaTopic: names.toKafka(topic), partition, from: at, bounds })
      try {
        return await readFrom(from)
      } catch (error) {
        if (errorType(error) !== 'OFFSET_OUT_OF_RANGE') throw error
        const { first } = await positions.extent(topic, partition)
        return from >= first ? [] : readFrom(first)
      }
    },
    extents: (topic) => positions.extents(topic),
    committed: (group, topic, partition) => positions.committed(group, topic, partition),
    async ready() {
      checkOpen()
      let late: NodeJS.Timeout | undefined
      const silent = new Promise<never>((_, reject) => {
        late = setTimeout(() => reject(new Error(`no answer within ${READY_MS_MAX} ms`)), READY_MS_MAX)
      })
      try {
        await Promise.race([admin.describeCluster(), silent])
      } catch (error) {
        throw new LogUnavailable('LOG_BUSY', `no Kafka broker answers: ${(error as Error).message}`, 2)
      } finally {
        clearTimeout(late)
      }
    },
    async close() {
      if (closed) return
      closed = true
      await Promise.all([...subscriptions].map((subscription) => subscription.stop()))
      await appender.close()
      await reader.disconnect()
      await admin.disconnect()
    },
  }
}
