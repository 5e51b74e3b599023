import type { Committed, Extent, LogRecord, NewRecord, ReadBounds } from '@millrace/ports'
import { keyOf, partitionBytes, placeBytes } from '../lmdb/keys.ts'
import type { LmdbRoot } from '../lmdb/open.ts'
import type { Reader, WriteSet } from '../lmdb/write-set.ts'

// An extent is stored beside the records, so that offsets go on where they were even when all records are gone.
const extentKey = (topic: string, partition: number): Buffer => keyOf(topic, partitionBytes(partition))

export const readExtent = (reader: Reader, topic: string, partition: number): Extent => {
  const bytes = reader.get('extents', extentKey(topic, partition))
  return { partition, first: bytes ? bytes.readDoubleBE(0) : 0, next: bytes ? bytes.readDoubleBE(8) : 0 }
}

/** Plans the records behind the newest ones. */
export const planRecords = (writes: WriteSet, records: readonly NewRecord[]): void => {
  for (const { topic, partition, value } of records) {
    const { first, next } = readExtent(writes, topic, partition)
    writes.put('records', keyOf(topic, placeBytes(partition, next)), asBuffer(value))
    const extent = Buffer.allocUnsafe(16)
    extent.writeDoubleBE(first, 0)
    extent.writeDoubleBE(next + 1, 8)
    writes.put('extents', extentKey(topic, partition), extent)
  }
}

const asBuffer = (value: Uint8Array): Buffer =>
  Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)

/** Committed records in [from, to), at most to the bounds; the first one comes whatever its size. */
export const readRecords = (
  root: LmdbRoot, topic: string, partition: number, from: number, to: number, bounds: ReadBounds,
): LogRecord[] => {
  const records: LogRecord[] = []
  if (from >= to || bounds.recordsMax < 1) return records
  const start = keyOf(topic, placeBytes(partition, Math.max(0, from)))
  const end = keyOf(topic, placeBytes(partition, to))
  let bytes = 0
  for (const { key, value } of root.rows('records', { start, end })) {
    bytes += value.length
    if (records.length > 0 && bytes > bounds.bytesMax) break
    records.push({ topic, partition, offset: key.readUIntBE(key.length - 6, 6), value })
    if (records.length >= bounds.recordsMax) break
  }
  return records
}

const positionKey = (group: string, topic: string, partition: number): Buffer =>
  keyOf(group, keyOf(topic, partitionBytes(partition)))

export const readPosition = (reader: Reader, group: string, topic: string, partition: number): Committed => {
  const bytes = reader.get('positions', positionKey(group, topic, partition))
  return bytes ? { offset: bytes.readDoubleBE(0), metadata: bytes.toString('utf8', 8) } : { offset: 0, metadata: '' }
}

export const planPosition = (
  writes: WriteSet, group: string, topic: string, partition: number, { offset, metadata }: Committed,
): void => {
  const head = Buffer.allocUnsafe(8)
  head.writeDoubleBE(offset)
  writes.put('positions', positionKey(group, topic, partition), Buffer.concat([head, Buffer.from(metadata)]))
}

/** What a record costs in memory and on disk beside its value. */
const RECORD_BYTES = 96

export const recordsBytes = (records: readonly NewRecord[]): number =>
  records.reduce((sum, { value }) => sum + value.length + RECORD_BYTES, 0)
