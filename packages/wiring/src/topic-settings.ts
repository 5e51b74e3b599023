import type { KafkaTopicSettings } from '@millrace/adapters'
import type { StackConfig } from './stack-config.ts'

const DAY_MS = 86_400_000

/** How the topics of a stack are made, and what each start compares them with. */
export const topicSettings = ({ KAFKA_PREFIX, KAFKA_REPLICATION, KAFKA_RETENTION_DAYS }: Pick<StackConfig, 'KAFKA_PREFIX' | 'KAFKA_REPLICATION' | 'KAFKA_RETENTION_DAYS'>): KafkaTopicSettings => ({
  prefix: KAFKA_PREFIX,
  replication: KAFKA_REPLICATION,
  retention: Object.fromEntries(Object.entries(KAFKA_RETENTION_DAYS).map(([topic, days]) => [topic, { ms: Math.round(days * DAY_MS) }])),
})
