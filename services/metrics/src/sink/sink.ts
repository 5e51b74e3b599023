import { topics, type Project } from '@millrace/contracts'
import type { ColumnStore, ConsumeOptions } from '@millrace/ports'
import { createEncoder, type SinkBatch } from './blocks.ts'
import { openSinkPartition } from './consumer.ts'
import { createMapReader } from './map-reader.ts'
import type { SinkStrategy } from './strategy.ts'

export const SINK_GROUP = 'sink'
export const SINK_TOPICS = [topics.resolved, topics.map, topics.segmentChanged, topics.rejected].map(({ name }) => name)

export interface SinkOptions {
  /** How long a batch may wait for more records. Freshness of answers against cost of inserts. */
  readonly lingerMs: number
  readonly batchRecordsMax: number
  readonly batchBytesMax: number
}

export interface SinkParts {
  readonly columns: ColumnStore
  readonly projectOf: (id: number) => Promise<Project>
  readonly onFault: ConsumeOptions['onFault']
  readonly batchStored?: (batch: SinkBatch) => void
  readonly probe?: (point: string) => void
  readonly strategy?: SinkStrategy
}

/** The consumer that writes the log's answers to the column store; see `openSinkPartition` for what it promises. */
export const sinkConsumer = (parts: SinkParts, options: SinkOptions): ConsumeOptions => {
  const encode = createEncoder(parts.projectOf)
  const map = createMapReader(parts.columns, (error) => parts.onFault(error, { topic: topics.map.name, partition: 0 }))
  return {
    group: SINK_GROUP,
    topics: SINK_TOPICS,
    ...options,
    open: async (assignment) => {
      // A crash can lie between rows of the map and the reading of them.
      if (assignment.topic === topics.map.name) await map.read()
      const partition = openSinkPartition({ ...parts, encode, mapStored: map.read }, assignment)
      return {
        ...partition,
        close: async () => {
          await partition.close()
          await map.settled()
        },
      }
    },
    onFault: parts.onFault,
  }
}
