/**
 * Every topic, who writes it and what it is keyed by. Partitions are those of the embedded wiring and the
 * default of the stack; they are fixed for the life of a data folder (a shard's home depends on them).
 */
export interface Topic {
  readonly name: string
  readonly partitions: number
  readonly key: string
  /** In Kafka: `compact` keeps the last record of each key, `delete` what retention keeps. */
  readonly cleanup: 'delete' | 'compact'
  /** In Kafka, unless configured; -1 keeps everything: the state of consumers is rebuilt from these topics. */
  readonly retentionMs: number
}

const KEPT = -1
const DAY_MS = 86_400_000

const topic = (name: string, partitions: number, key: string, cleanup: Topic['cleanup'] = 'delete', retentionMs = KEPT): Topic => ({ name, partitions, key, cleanup, retentionMs })

export const topics = {
  accepted: topic('events.accepted', 4, 'filed key'),
  // To look at and to send again by hand; nothing is rebuilt from it.
  rejected: topic('events.rejected', 1, 'project', 'delete', 30 * DAY_MS),
  resolved: topic('events.resolved', 4, 'person'),
  // One fact a record; of two with one key the later says all that the earlier said.
  facts: topic('identity.facts', 1, 'fact', 'compact'),
  // Not compacted: a record holds all map lines of a batch under its project, so its last one is not all that is known.
  map: topic('identity.map', 1, 'project'),
  segmentChanged: topic('segment.changed', 1, 'project'),
  // The last record of each project says all.
  projects: topic('projects', 1, 'project', 'compact'),
} as const

export const allTopics: readonly Topic[] = Object.values(topics)

export const topicNamed = (name: string): Topic => {
  const found = allTopics.find((candidate) => candidate.name === name)
  if (!found) throw new Error(`no topic is named ${name}`)
  return found
}
