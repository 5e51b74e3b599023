import { checkKafkaTopics, createClickHouseStore, createRedisHotStore } from '@millrace/adapters'
import type { Clock } from '@millrace/ports'
import { schemaFault } from '@millrace/warehouse'
import type { KafkaAccessConfig } from './kafka-access.ts'
import type { StackConfig } from './stack-config.ts'
import { topicSettings } from './topic-settings.ts'

/** What the engines are found to be; nothing is made or changed. */
export interface Inspected {
  /** What is missing in Kafka or differs. */
  readonly topics: readonly string[]
  /** Why this build cannot work on ClickHouse as it is, or null. */
  readonly migrations: string | null
  /** Why Redis would lose state by itself. */
  readonly redis: readonly string[]
}

type Engines = Pick<StackConfig, 'KAFKA_BROKERS' | 'KAFKA_PREFIX' | 'KAFKA_REPLICATION' | 'KAFKA_RETENTION_DAYS' | 'REDIS_URLS' | 'REDIS_PREFIX' | 'CLICKHOUSE_URL' | 'CLICKHOUSE_USER' | 'CLICKHOUSE_PASSWORD'> & KafkaAccessConfig

const ANSWER_MS_MAX = 20_000

/** Asks Kafka, Redis and ClickHouse, all at once; one that does not answer in time is a fault of its own. */
export const inspectStack = async (config: Engines, clock: Clock): Promise<Inspected> => {
  const [topics, redis, migrations] = await Promise.all([
    faultsOf(clock, checkKafkaTopics(config.KAFKA_BROKERS, topicSettings(config))),
    faultsOf(clock, redisFaults(config, clock)),
    faultsOf(clock, migrationFaults(config)),
  ])
  return { topics, redis, migrations: migrations[0] ?? null }
}

const redisFaults = async ({ REDIS_URLS, REDIS_PREFIX }: Engines, clock: Clock): Promise<readonly string[]> => {
  const told: string[] = []
  const hot = await createRedisHotStore({ urls: REDIS_URLS, prefix: REDIS_PREFIX, clock, onWarning: ({ message }) => void told.push(message) })
  await hot.close()
  return told
}

const migrationFaults = async (config: Engines): Promise<readonly string[]> => {
  const columns = createClickHouseStore({ url: config.CLICKHOUSE_URL, username: config.CLICKHOUSE_USER, password: config.CLICKHOUSE_PASSWORD })
  try {
    const fault = await schemaFault(columns)
    return fault ? [fault.text] : []
  } finally {
    await columns.close()
  }
}

const faultsOf = (clock: Clock, asked: Promise<readonly string[]>): Promise<readonly string[]> =>
  new Promise((resolve) => {
    const stopWaiting = clock.after(ANSWER_MS_MAX, () => resolve([`no answer in ${ANSWER_MS_MAX / 1000} s`]))
    asked.then(resolve, (error: unknown) => resolve([error instanceof Error ? error.message : String(error)])).finally(stopWaiting)
  })
