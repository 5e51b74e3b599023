import type { NewRecord } from '@millrace/ports'
import type { TopicMessages } from 'kafkajs'
import type { Names } from './names.ts'

/** What one partition gets in one request: under the `max.message.bytes` of its topic, which holds for the whole batch. */
const PARTITION_BYTES_MAX = 4 * 1024 * 1024
const REQUEST_BYTES_MAX = 16 * 1024 * 1024
/** `max.message.bytes` of every topic. */
export const RECORD_BYTES_MAX = 8 * 1024 * 1024
const RECORD_OVERHEAD_BYTES = 1_024

/** In order, as few requests as the bounds allow. */
export const chunksOf = (records: readonly NewRecord[]): readonly (readonly NewRecord[])[] => {
  const chunks: NewRecord[][] = []
  let chunk: NewRecord[] = []
  let bytes = 0
  let perPartition = new Map<string, number>()
  for (const record of records) {
    const place = `${record.topic}/${record.partition}`
    const size = record.value.length + RECORD_OVERHEAD_BYTES
    if (chunk.length > 0 && (bytes + size > REQUEST_BYTES_MAX || (perPartition.get(place) ?? 0) + size > PARTITION_BYTES_MAX)) {
      chunks.push(chunk)
      chunk = []
      bytes = 0
      perPartition = new Map()
    }
    chunk.push(record)
    bytes += size
    perPartition.set(place, (perPartition.get(place) ?? 0) + size)
  }
  if (chunk.length > 0) chunks.push(chunk)
  return chunks
}

export const topicMessages = (records: readonly NewRecord[], names: Names): TopicMessages[] => {
  const byTopic = new Map<string, TopicMessages>()
  for (const { topic, partition, key, value } of records) {
    const entry = byTopic.get(topic) ?? { topic: names.toKafka(topic), messages: [] }
    entry.messages.push({ partition, key: key ?? null, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) })
    byTopic.set(topic, entry)
  }
  return [...byTopic.values()]
}

/** Said before anything is sent: kafkajs would go on trying for a partition that is not there, or a record that never fits. */
export const checkRecords = (records: readonly NewRecord[], partitionsOf: (topic: string) => number): void => {
  for (const { topic, partition, value } of records) {
    if (!(partition >= 0 && partition < partitionsOf(topic))) throw new Error(`the topic ${topic} has no partition ${partition}`)
    if (value.length + RECORD_OVERHEAD_BYTES > RECORD_BYTES_MAX) throw new Error(`a record of ${value.length} bytes is more than ${topic} takes (${RECORD_BYTES_MAX})`)
  }
}
