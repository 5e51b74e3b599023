import { createClickHouseStore, createKafkaLog, createRedisHotStore, createSystemClock, createSystemIds, createToldClock, ensureKafkaTopics } from '@millrace/adapters'
import type { Clock, ColumnStore, EventLog, HotStore, Ids, SpooledLog } from '@millrace/ports'
import { kafkaAccess } from './kafka-access.ts'
import type { StackConfig } from './stack-config.ts'
import { untilSetUp } from './set-up.ts'
import { openSpooled, type SpoolSettings } from './spooled.ts'
import { topicSettings } from './topic-settings.ts'

export interface StackOptions {
  readonly config: StackConfig
  /** The service works on the warehouse: it waits for this build's tables, too. */
  readonly needsColumns: boolean
  readonly clock?: Clock | undefined
  readonly ids?: Ids | undefined
  /** Where what is appended is kept while Kafka is away, and how much of it; with it a start does not need Kafka. */
  readonly spool?: SpoolSettings | undefined
  /** Told while the start waits for the set-up, of a Redis that forgets, and of a spool that is used. */
  readonly onWarning?: ((warning: { readonly event: string; readonly message: string }) => void) | undefined
}

/** Everything that a service is given, over Kafka, Redis and ClickHouse. */
export interface Stack {
  readonly log: EventLog
  /** The same log, where it has a spool before it. */
  readonly spool: SpooledLog | null
  readonly hot: HotStore
  readonly columns: ColumnStore
  readonly clock: Clock
  readonly ids: Ids
  close(): Promise<void>
}

/** Where there is a spool a sender waits no longer than this for Kafka. */
const SPOOLED_APPEND_MS_MAX = 2_000
/** And a log that is opened while Kafka hangs is soon opened anew: a client that met it so may never find to it. */
const SPOOLED_SET_UP_MS_MAX = 2_000

/** @throws when topics or tables are not there within SET_UP_WAIT_MS_MAX: `set-up` makes them, services only wait */
export const createStack = async ({ config, needsColumns, spool: settings, onWarning = () => {}, ...given }: StackOptions): Promise<Stack> => {
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
    const openLog = async (): Promise<EventLog> => {
      const log = await createKafkaLog({
        brokers: config.KAFKA_BROKERS, access: kafkaAccess(config), slot: config.COPY_SLOT, hot, prefix: config.KAFKA_PREFIX, ...(settings ? { appendTimeoutMs: SPOOLED_APPEND_MS_MAX } : {}),
      })
      try {
        await untilSetUp({ log, columns: needsColumns ? columns : null, waitMsMax: settings ? SPOOLED_SET_UP_MS_MAX : config.SET_UP_WAIT_MS_MAX, onWait: (message) => onWarning({ event: 'set-up.awaited', message }) })
        // All are there: this compares each with what is needed, and creates nothing.
        await ensureKafkaTopics(config.KAFKA_BROKERS, topicSettings(config))
        return log
      } catch (error) {
        await log.close()
        throw error
      }
    }
    const spool = settings ? await openSpooled(openLog, settings, { clock, onWarning }) : null
    const log = spool ?? (await openLog())
    closers.push(log.close)
    return { log, spool, hot, columns, clock, ids: given.ids ?? createSystemIds(), close }
  } catch (error) {
    await close()
    throw error
  }
}
