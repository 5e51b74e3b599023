/**
 * Every topic, who writes it and what it is keyed by. Partitions are those of the embedded wiring and the
 * default of the stack; they are fixed for the life of a data folder (a shard's home depends on them).
 */
export interface Topic {
  readonly name: string
  readonly partitions: number
  readonly key: string
  /** The last record of each key is kept for ever and says all: no other may be missed. */
  readonly compacted?: true
}

const topic = (name: string, partitions: number, key: string): Topic => ({ name, partitions, key })

export const topics = {
  accepted: topic('events.accepted', 4, 'filed key'),
  rejected: topic('events.rejected', 1, 'project'),
  resolved: topic('events.resolved', 4, 'person'),
  facts: topic('identity.facts', 1, 'project'),
  map: topic('identity.map', 1, 'project'),
  segmentChanged: topic('segment.changed', 1, 'project'),
  projects: { ...topic('projects', 1, 'project'), compacted: true },
} as const

export const allTopics: readonly Topic[] = Object.values(topics)

export const topicNamed = (name: string): Topic => {
  const found = allTopics.find((candidate) => candidate.name === name)
  if (!found) throw new Error(`no topic is named ${name}`)
  return found
}
