import { createClickHouseStore, createKafkaLog, createRedisHotStore, createSystemClock, createSystemIds, createToldClock, ensureKafkaTopics } from '@millrace/adapters'
import type { Clock, ColumnStore, EventLog, HotStore, Ids } from '@millrace/ports'
import { kafkaAccess } from './kafka-access.ts'
import type { StackConfig } from './stack-config.ts'
import { untilSetUp } from './set-up.ts'
import { topicSettings } from './topic-settings.ts'

export interface StackOptions {
  readonly config: StackConfig
  /** The service works on the warehouse: it waits for this build's tables, too. */
  readonly needsColumns: boolean
  readonly clock?: Clock | undefined
  readonly ids?: Ids | undefined
  /** Told while the start waits for the set-up, and of a Redis that forgets. */
  readonly onWarning?: ((warning: { readonly event: string; readonly message: string }) => void) | undefined
}

/** Everything that a service is given, over Kafka, Redis and ClickHouse. */
export interface Stack {
  readonly log: EventLog
  readonly hot: HotStore
  readonly columns: ColumnStore
  readonly clock: Clock
  readonly ids: Ids
  close(): Promise<void>
}

/** @throws when topics or tables are not there within SET_UP_WAIT_MS_MAX: `set-up` makes them, services only wait */
export const createStack = async ({ config, needsColumns, onWarning = () => {}, ...given }: StackOptions): Promise<Stack> => {
  const clock = given.clock ?? (config.MILLRACE_TEST_CLOCK === '' ? createSystemClock() : createToldClock(config.MILLRACE_TEST_CLOCK))
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const hot = await createRedisHotStore({ urls: config.REDIS_URLS, prefix: config.REDIS_PREFIX, clock, onWarning })
    closers.push(hot.close)
    const columns = createClickHouseStore({ url: config.CLICKHOUSE_URL, username: config.CLICKHOUSE_USER, password: config.CLICKHOUSE_PASSWORD })
    closers.push(columns.close)
    const log = await createKafkaLog({ brokers: config.KAFKA_BROKERS, access: kafkaAccess(config), slot: config.COPY_SLOT, hot, prefix: config.KAFKA_PREFIX })
    closers.push(log.close)
    await untilSetUp({ log, columns: needsColumns ? columns : null, waitMsMax: config.SET_UP_WAIT_MS_MAX, onWait: (message) => onWarning({ event: 'set-up.awaited', message }) })
    // All are there: this compares each with what is needed, and creates nothing.
    await ensureKafkaTopics(config.KAFKA_BROKERS, topicSettings(config))
    return { log, hot, columns, clock, ids: given.ids ?? createSystemIds(), close }
  } catch (error) {
    await close()
    throw error
  }
}
