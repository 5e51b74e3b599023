import { Packr } from 'msgpackr'
import type { Document } from '@millrace/ports'
import { readTime, timeBytes } from '../lmdb/keys.ts'

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
