import type { Committed, Extent } from '@millrace/ports'
import type { Admin } from 'kafkajs'
import type { Cluster } from './client.ts'
import { errorType, isPassing } from './faults.ts'
import type { Names } from './names.ts'

export interface Positions {
  extents(topic: string): Promise<readonly Extent[]>
  extent(topic: string, partition: number): Promise<Extent>
  /** Null when the group has none. Waits for a transaction that is about to move it. */
  stored(group: string, topic: string, partition: number): Promise<Committed | null>
  /** The first offset kept when the group has no position yet. */
  committed(group: string, topic: string, partition: number): Promise<Committed>
}

const TRIES_MAX = 40
/** A topic that is made now is known at once nearly everywhere; one that is not there must be told soon. */
const UNKNOWN_TRIES_MAX = 6

export const createPositions = ({ admin, cluster, names }: { admin: Admin; cluster: Cluster; names: Names }): Positions => {
  const extents = (topic: string): Promise<readonly Extent[]> =>
    patiently(async () =>
      (await admin.fetchTopicOffsets(names.toKafka(topic)))
        .map(({ partition, low, high }) => ({ partition, first: Number(low), next: Number(high) }))
        .sort((a, b) => a.partition - b.partition),
    )
  const stored = (group: string, topic: string, partition: number): Promise<Committed | null> =>
    patiently(async () => {
      const coordinator = await cluster.findGroupCoordinator({ groupId: names.toKafka(group) })
      const { responses } = await coordinator.offsetFetch({ groupId: names.toKafka(group), topics: [{ topic: names.toKafka(topic), partitions: [{ partition }] }] })
      const found = responses[0]?.partitions[0]
      const offset = Number(found?.offset ?? -1)
      return offset < 0 ? null : { offset, metadata: found?.metadata ?? '' }
    }, () => cluster.refreshMetadata())
  const extent = async (topic: string, partition: number): Promise<Extent> => {
    const found = (await extents(topic)).find((candidate) => candidate.partition === partition)
    if (!found) throw new Error(`the topic ${topic} has no partition ${partition}`)
    return found
  }
  return {
    extents,
    extent,
    stored,
    committed: async (group, topic, partition) => (await stored(group, topic, partition)) ?? { offset: (await extent(topic, partition)).first, metadata: '' },
  }
}

/** A new topic, or one whose broker restarts, has no leader for a moment; kafkajs does not ask again by itself. */
export const patiently = async <T>(ask: () => Promise<T>, refresh?: () => Promise<unknown>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!isPassing(error) || attempt >= (errorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION' ? UNKNOWN_TRIES_MAX : TRIES_MAX)) throw error
      await new Promise((resolve) => setTimeout(resolve, Math.min(1000, 20 * attempt)))
      await refresh?.().catch(() => undefined)
    }
  }
}
