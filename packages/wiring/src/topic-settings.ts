import type { KafkaTopicSettings } from '@millrace/adapters'
import { kafkaAccess, type KafkaAccessConfig } from './kafka-access.ts'
import type { StackConfig } from './stack-config.ts'

const DAY_MS = 86_400_000

/** How the topics of a stack are made, and what each start compares them with. */
export const topicSettings = (config: KafkaAccessConfig & Pick<StackConfig, 'KAFKA_PREFIX' | 'KAFKA_REPLICATION' | 'KAFKA_RETENTION_DAYS'>): KafkaTopicSettings => ({
  access: kafkaAccess(config),
  prefix: config.KAFKA_PREFIX,
  replication: config.KAFKA_REPLICATION,
  retention: Object.fromEntries(Object.entries(config.KAFKA_RETENTION_DAYS).map(([topic, days]) => [topic, { ms: Math.round(days * DAY_MS) }])),
})
