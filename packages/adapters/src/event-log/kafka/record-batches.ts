import { gunzipSync } from 'node:zlib'

/** What a fetch brought of one partition, as bytes. */
export interface RecordSet {
  readonly bytes: Buffer
  /** Where the fetch began: a batch may begin before it. */
  readonly from: number
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[]
}

export interface DecodedRecords {
  readonly records: readonly { readonly offset: number; readonly value: Buffer }[]
  /** Behind everything that was decoded: markers, aborted records and what compaction took out included. */
  readonly next: number
}

const HEAD_BYTES = 61
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const NOTHING = Buffer.alloc(0)

/**
 * Records of committed transactions, in order. A transaction that is in the list of aborted ones is open from its
 * first offset on until its marker; several may be open at once. An incomplete batch at the end is left for the next fetch.
 */
export const decodeRecordSet = ({ bytes, from, aborted }: RecordSet): DecodedRecords => {
  const records: { offset: number; value: Buffer }[] = []
  const pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<bigint>()
  let next = from
  for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    if (end > bytes.length) break
    const batch = readBatch(bytes.subarray(at, end))
    at = end
    while (pending.length > 0 && pending[0]!.firstOffset <= batch.last) open.add(pending.shift()!.producerId)
    next = Math.max(next, batch.last + 1)
    if (batch.control) open.delete(batch.producerId)
    else if (!(batch.transactional && open.has(batch.producerId))) {
      for (const record of recordsOf(batch)) if (record.offset >= from) records.push(record)
    }
  }
  return { records, next }
}

interface RecordBatch {
  readonly first: number
  readonly last: number
  readonly producerId: bigint
  readonly transactional: boolean
  readonly control: boolean
  readonly count: number
  readonly body: Buffer
}

const readBatch = (bytes: Buffer): RecordBatch => {
  if (bytes[16] !== 2) throw new Error(`a record batch of format ${bytes[16]} is not read; Kafka has written 2 since 0.11`)
  const attributes = bytes.readInt16BE(21)
  const first = Number(bytes.readBigInt64BE(0))
  return {
    first,
    last: first + bytes.readInt32BE(23),
    producerId: bytes.readBigInt64BE(43),
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) !== 0,
    count: bytes.readInt32BE(57),
    body: plain(attributes & 7, bytes.subarray(HEAD_BYTES)),
  }
}

/** Values are compressed before Kafka sees them, so a batch is not; another program's may be. */
const plain = (codec: number, bytes: Buffer): Buffer => {
  if (codec === 0) return bytes
  if (codec === 1) return gunzipSync(bytes)
  throw new Error(`record batches compressed by Kafka's codec ${codec} are not read: leave compression.type of the topic at "producer"`)
}

const recordsOf = ({ first, count, body }: RecordBatch): { offset: number; value: Buffer }[] => {
  const records: { offset: number; value: Buffer }[] = []
  const reader = { bytes: body, at: 0 }
  for (let n = 0; n < count; n++) {
    const length = readVarint(reader)
    const end = reader.at + length
    reader.at++
    readVarint(reader)
    const offset = first + readVarint(reader)
    const keyLength = readVarint(reader)
    reader.at += Math.max(0, keyLength)
    const valueLength = readVarint(reader)
    records.push({ offset, value: valueLength < 0 ? NOTHING : body.subarray(reader.at, reader.at + valueLength) })
    reader.at = end
  }
  return records
}

/** Zigzag; by multiplication, since time stamps go beyond 32 bits. */
const readVarint = (reader: { readonly bytes: Buffer; at: number }): number => {
  let value = 0
  let scale = 1
  for (;;) {
    const byte = reader.bytes[reader.at++]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) break
    scale *= 128
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
