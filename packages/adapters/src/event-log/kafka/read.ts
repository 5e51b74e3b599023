import type { LogRecord, ReadBounds } from '@millrace/ports'
import type { Cluster } from './client.ts'
import { errorType } from './faults.ts'
import { fetchPlaces } from './fetch.ts'

export interface Read {
  readonly topic: string
  readonly kafkaTopic: string
  readonly partition: number
  readonly from: number
  readonly bounds: ReadBounds
}

const FETCH_BYTES_MIN = 1_048_576
const FETCH_BYTES_MAX = 16_777_216
/** Half a minute for a broker that restarts. */
const TRIES_MAX = 40

/** Records of one partition without a group and without waiting: the end is the last stable offset. */
export const readOnce = async (cluster: Cluster, { topic, kafkaTopic, partition, from, bounds }: Read): Promise<readonly LogRecord[]> => {
  await cluster.addMultipleTargetTopics([kafkaTopic])
  const records: LogRecord[] = []
  const partitionBytesMax = Math.min(Math.max(bounds.bytesMax, FETCH_BYTES_MIN), FETCH_BYTES_MAX)
  let bytes = 0
  for (let at = from, tries = 1; ; ) {
    const found = await fetchOne(cluster, { topic: kafkaTopic, partition, from: at }, partitionBytesMax, tries)
    if (found === null) {
      tries++
      continue
    }
    for (const { offset, value } of found.records) {
      const full = records.length >= bounds.recordsMax || (records.length > 0 && bytes + value.length > bounds.bytesMax)
      if (full) return records
      records.push({ topic, partition, offset, value })
      bytes += value.length
    }
    if (found.next >= found.lastStable || found.next === at) return records
    at = found.next
  }
}

/** Null: ask again, the leader has moved or restarts. */
const fetchOne = async (cluster: Cluster, place: { topic: string; partition: number; from: number }, partitionBytesMax: number, tries: number) => {
  try {
    const [outcome] = await fetchPlaces(cluster, [place], { waitMs: 0, bytesMax: 2 * FETCH_BYTES_MAX, partitionBytesMax })
    if ('error' in outcome!) throw outcome.error
    return outcome!.fetched
  } catch (error) {
    // Past the end there is nothing yet. Before the beginning, or a broker that is gone for good: the caller must know.
    if (errorType(error) === 'OFFSET_OUT_OF_RANGE' || tries >= TRIES_MAX) throw error
    await new Promise((resolve) => setTimeout(resolve, Math.min(1000, 20 * tries)))
    await cluster.refreshMetadata().catch(() => undefined)
    return null
  }
}
