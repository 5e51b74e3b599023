import { setTimeout as pause } from 'node:timers/promises'
import { allTopics, type Topic } from '@millrace/contracts'
import type { KafkaAccess } from './access.ts'
import { RECORD_BYTES_MAX } from './chunks.ts'
import { createClient } from './client.ts'

export interface TopicSettings {
  readonly prefix?: string
  readonly access?: KafkaAccess | undefined
  /** Copies of each partition. Default 1: one broker. With 3 or more, an append needs two of them. */
  readonly replication?: number
  /** By topic, over the table of the contracts; -1 keeps everything. */
  readonly retention?: Readonly<Record<string, { readonly ms?: number; readonly bytes?: number }>>
}

/** A topic as it is wanted, or as it was found; `config` by Kafka's own names. */
interface TopicShape {
  readonly name: string
  readonly partitions: number
  readonly replication: number
  readonly config: Readonly<Record<string, string>>
}

/** Some topic exists, but not as it must be. One sentence, every difference in it. */
export class TopicsDiffer extends Error {
  override readonly name = 'TopicsDiffer'
  readonly code = 'TOPICS_DIFFER'
  constructor(differences: readonly string[]) {
    super(`Kafka has topics that differ from what Millrace needs: ${differences.join('; ')}. Nothing was changed: change them with Kafka's own tools, or the settings here.`)
  }
}

/** What the table of the contracts and the settings ask for. @throws when a setting names no topic */
export const wantedTopics = ({ prefix = '', replication = 1, retention = {} }: TopicSettings): readonly TopicShape[] => {
  const strange = Object.keys(retention).filter((name) => !allTopics.some((topic) => topic.name === name))
  if (strange.length > 0) throw new Error(`no topic is named ${strange.join(', ')}; there are ${allTopics.map(({ name }) => name).join(', ')}`)
  return allTopics.map((topic) => ({
    name: prefix + topic.name,
    partitions: topic.partitions,
    replication,
    config: configOf(topic, replication, retention[topic.name] ?? {}),
  }))
}

const configOf = (topic: Topic, replication: number, kept: { readonly ms?: number; readonly bytes?: number }): Record<string, string> => ({
  'cleanup.policy': topic.cleanup,
  'retention.ms': String(kept.ms ?? topic.retentionMs),
  'retention.bytes': String(kept.bytes ?? -1),
  'min.insync.replicas': String(replication >= 3 ? 2 : 1),
  'max.message.bytes': String(RECORD_BYTES_MAX),
  // Values are compressed already; another codec here would be one that the readers lack.
  'compression.type': 'producer',
  'message.timestamp.type': 'CreateTime',
})

/** What the found ones have otherwise than wanted, each as part of a sentence. Missing ones are no difference. */
export const topicDifferences = (wanted: readonly TopicShape[], found: readonly TopicShape[]): readonly string[] =>
  wanted.flatMap((topic) => {
    const there = found.find(({ name }) => name === topic.name)
    if (!there) return []
    const faults = [
      ...(there.partitions === topic.partitions ? [] : [`${there.partitions} partitions instead of ${topic.partitions}`]),
      ...(there.replication === topic.replication ? [] : [`${there.replication} replicas instead of ${topic.replication}`]),
      ...Object.entries(topic.config).filter(([name, value]) => there.config[name] !== value).map(([name, value]) => `${name}=${there.config[name] ?? '(not set)'} instead of ${value}`),
    ]
    return faults.length === 0 ? [] : [`${topic.name} has ${faults.join(', ')}`]
  })

export interface EnsuredTopics {
  readonly created: readonly string[]
  readonly checked: readonly string[]
}

const TOPIC = 2
const BROKER = 4
/** Positions of a group that is stopped for so long are forgotten, and it would begin at the start of the log. */
const OFFSETS_RETENTION_MINUTES_MIN = 30 * 24 * 60

/** Creates the topics that are missing and checks those that are there; several may do it at once. @throws TopicsDiffer */
export const ensureTopics = async (brokers: readonly string[], settings: TopicSettings = {}): Promise<EnsuredTopics> => {
  const wanted = wantedTopics(settings)
  const admin = createClient(brokers, 'millrace-topics', settings.access, 20).kafka.admin()
  await admin.connect()
  try {
    const names = new Set(await admin.listTopics())
    const missing = wanted.filter(({ name }) => !names.has(name))
    const created = missing.length > 0 && (await admin.createTopics({
      waitForLeaders: false,
      topics: missing.map(({ name, partitions, replication, config }) => ({
        topic: name, numPartitions: partitions, replicationFactor: replication,
        configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      })),
    }))
    await untilLed(admin, wanted.map(({ name }) => name))
    const shapes = await describe(admin, wanted.map(({ name }) => name))
    const differences = [...topicDifferences(wanted, shapes), ...(await brokerDifferences(admin))]
    if (differences.length > 0) throw new TopicsDiffer(differences)
    return { created: created ? missing.map(({ name }) => name) : [], checked: wanted.map(({ name }) => name) }
  } finally {
    await admin.disconnect()
  }
}

const LED_AFTER_MS_MAX = 30_000
const LOOK_EVERY_MS = 50

/**
 * Waits until a broker knows the topics and a leader of each partition. The controller's word reaches a broker some time
 * after a topic was created; until then it is unknown there, which kafkajs' own `waitForLeaders` takes for an error.
 * @throws when that takes longer than 30 s
 */
export const untilLed = async (admin: Admin, names: readonly string[]): Promise<void> => {
  const deadline = performance.now() + LED_AFTER_MS_MAX
  while (!(await areLed(admin, names))) {
    if (performance.now() > deadline) throw new Error(`Kafka had no leader for each partition of ${names.join(', ')} within ${LED_AFTER_MS_MAX} ms`)
    await pause(LOOK_EVERY_MS)
  }
}

const areLed = async (admin: Admin, names: readonly string[]): Promise<boolean> => {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [...names] })
    return topics.length === names.length && topics.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0))
  } catch (error) {
    if ((error as { type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION') return false
    throw error
  }
}

/** What is missing and what differs, in parts of sentences; creates and changes nothing. */
export const checkTopics = async (brokers: readonly string[], settings: TopicSettings = {}): Promise<readonly string[]> => {
  const wanted = wantedTopics(settings)
  const admin = createClient(brokers, 'millrace-topics', settings.access, 20).kafka.admin()
  await admin.connect()
  try {
    const names = new Set(await admin.listTopics())
    const there = wanted.filter(({ name }) => names.has(name))
    const missing = wanted.filter(({ name }) => !names.has(name)).map(({ name }) => `${name} is missing`)
    const differences = there.length === 0 ? [] : topicDifferences(wanted, await describe(admin, there.map(({ name }) => name)))
    return [...missing, ...differences, ...(await brokerDifferences(admin))]
  } finally {
    await admin.disconnect()
  }
}

type Admin = ReturnType<ReturnType<typeof createClient>['kafka']['admin']>

const describe = async (admin: Admin, names: readonly string[]): Promise<readonly TopicShape[]> => {
  const { topics } = await admin.fetchTopicMetadata({ topics: [...names] })
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: names.map((name) => ({ type: TOPIC, name })) })
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.length,
    replication: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    config: Object.fromEntries((resources.find((resource) => resource.resourceName === name)?.configEntries ?? []).map((entry) => [entry.configName, entry.configValue])),
  }))
}

const brokerDifferences = async (admin: Admin): Promise<readonly string[]> => {
  const { brokers } = await admin.describeCluster()
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: brokers.map(({ nodeId }) => ({ type: BROKER, name: String(nodeId), configNames: ['offsets.retention.minutes'] })),
  })
  return resources.flatMap(({ resourceName, configEntries }) =>
    configEntries
      .filter(({ configName, configValue }) => configName === 'offsets.retention.minutes' && Number(configValue) < OFFSETS_RETENTION_MINUTES_MIN)
      .map(({ configValue }) => `broker ${resourceName} has offsets.retention.minutes=${configValue} instead of ${OFFSETS_RETENTION_MINUTES_MIN} or more`),
  )
}
