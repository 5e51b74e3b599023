import { Packr } from 'msgpackr'
import type { Document, StateWrite } from '@millrace/ports'
import { keyOf, readTime, timeBytes } from '../lmdb/keys.ts'
import type { Reader, WriteSet } from '../lmdb/write-set.ts'

/** The watermark of a scope, null when nothing was written in it. */
export const readWatermark = (reader: Reader, scope: string): number | null => {
  const bytes = reader.get('watermarks', keyOf(scope, ''))
  return bytes ? bytes.readDoubleBE(0) : null
}

/** Plans one state write. False, and nothing planned, when the stored watermark is not smaller. */
export const planState = (writes: WriteSet, codec: Codec, write: StateWrite): boolean => {
  const before = readWatermark(writes, write.scope)
  if (before !== null && before >= write.watermark) return false
  const mark = Buffer.allocUnsafe(8)
  mark.writeDoubleBE(write.watermark)
  writes.put('watermarks', keyOf(write.scope, ''), mark)
  for (const [key, document] of write.puts) writes.put('documents', keyOf(write.scope, key), codec.encode(document))
  for (const key of write.deletes) writes.remove('documents', keyOf(write.scope, key))
  for (const [id, at] of write.timers) planTimer(writes, write.scope, id, at)
  return true
}

const planTimer = (writes: WriteSet, scope: string, id: string, at: number | null): void => {
  const idKey = keyOf(scope, id)
  const before = writes.get('timer-ids', idKey)
  if (before) writes.remove('timers', timerKey(scope, before, id))
  if (at === null) return writes.remove('timer-ids', idKey)
  writes.put('timer-ids', idKey, timeBytes(at))
  writes.put('timers', timerKey(scope, timeBytes(at), id), NOTHING)
}

const NOTHING = Buffer.of(0)

const timerKey = (scope: string, at: Buffer, id: string): Buffer => keyOf(scope, Buffer.concat([at, Buffer.from(id)]))

/** Documents as bytes: the time at which it ends (0: never), then MessagePack, or JSON. */
export interface Codec {
  encode(document: Document, endsAt?: number): Buffer
  decode(value: Buffer): Document
  endsAt(value: Buffer): number
}

export const createCodec = (): Codec => {
  const packr = new Packr({ useRecords: false, copyBuffers: true } as ConstructorParameters<typeof Packr>[0])
  return {
    encode: (document, endsAt = 0) => {
      const packed = packr.pack(document)
      const json = isAltered(packed) ? jsonOf(document) : null
      return Buffer.concat(json === null ? [timeBytes(endsAt), packed] : [timeBytes(endsAt), JSON_MARK, Buffer.from(json)])
    },
    decode: (value) => (value[8] === JSON_MARK[0] ? JSON.parse(value.toString('utf8', 9)) : packr.unpack(value.subarray(8))) as Document,
    endsAt: (value) => readTime(value),
  }
}

/** The one byte that no MessagePack begins with: behind it stands JSON. */
const JSON_MARK = Buffer.of(0xc1)
const PROTO = Buffer.from('__proto__')
const REPLACED = Buffer.from('\ufffd')

/**
 * Names and texts come from senders. The unpacking renames a member `__proto__`, and UTF-8 has no lone surrogates:
 * what was read back would not be what was in memory. JSON carries both.
 */
const isAltered = (packed: Buffer): boolean => packed.includes(PROTO) || packed.includes(REPLACED) || hasSurrogate(packed)

/** The packing writes short texts by itself, and a lone surrogate as the three bytes that UTF-8 forbids. Numbers may look like it. */
const hasSurrogate = (packed: Buffer): boolean => {
  for (let at = packed.indexOf(0xed); at >= 0; at = packed.indexOf(0xed, at + 1)) {
    if (packed[at + 1]! >> 5 === 0b101 && packed[at + 2]! >> 6 === 0b10) return true
  }
  return false
}

/** Null where it holds bytes: in those the pattern of a replaced character means nothing. */
const jsonOf = (document: Document): string | null => {
  let bytes = false
  const json = JSON.stringify(document, function (this: Record<string, unknown>, key, value: unknown) {
    bytes ||= this[key] instanceof Uint8Array
    return bytes ? null : value
  })
  return bytes ? null : json
}

/** About how many bytes a state write takes, without encoding it. */
export const stateBytes = (write: StateWrite): number =>
  64 + (write.puts.length + write.deletes.length + write.timers.length) * 128
