import type { LogRecord, ReadBounds } from '@millrace/ports'
import type { Admin, Kafka } from 'kafkajs'

export interface Read {
  readonly topic: string
  readonly kafkaTopic: string
  readonly partition: number
  readonly from: number
  readonly end: number
  readonly bounds: ReadBounds
}

const QUIET_FETCHES = 3
const FETCH_BYTES_MIN = 1_048_576

/** kafkajs reads only as a member of a group: a group of its own, left at once. For tools and replay, not for a hot path. */
export const readOnce = async ({ kafka, admin }: { kafka: Kafka; admin: Admin }, read: Read): Promise<readonly LogRecord[]> => {
  const { topic, kafkaTopic, partition, from, end, bounds } = read
  const groupId = `${kafkaTopic}-read-${partition}-${from}-${process.pid}-${process.hrtime.bigint()}`
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, maxBytesPerPartition: Math.max(bounds.bytesMax, FETCH_BYTES_MIN) })
  const records: LogRecord[] = []
  let bytes = 0
  await consumer.connect()
  await consumer.subscribe({ topics: [kafkaTopic], fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    let quiet = 0
    let sought = false
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const others = (payload.memberAssignment[kafkaTopic] ?? []).filter((candidate) => candidate !== partition)
      if (others.length > 0) consumer.pause([{ topic: kafkaTopic, partitions: others }])
      consumer.seek({ topic: kafkaTopic, partition, offset: String(from) })
      sought = true
    })
    consumer.on(consumer.events.FETCH, ({ payload }) => {
      quiet = sought && payload.numberOfBatches === 0 ? quiet + 1 : 0
      if (quiet >= QUIET_FETCHES) resolve()
    })
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          if (batch.partition !== partition) return
          for (const { offset, value } of batch.messages) {
            if (Number(offset) < from || Number(offset) <= (records.at(-1)?.offset ?? -1)) continue
            const full = records.length >= bounds.recordsMax || (records.length > 0 && bytes + (value?.length ?? 0) > bounds.bytesMax)
            if (full) return resolve()
            records.push({ topic, partition, offset: Number(offset), value: value ?? Buffer.alloc(0) })
            bytes += value?.length ?? 0
          }
          if (Number(batch.lastOffset()) + 1 >= end) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  await admin.deleteGroups([groupId]).catch(() => undefined)
  return records
}
