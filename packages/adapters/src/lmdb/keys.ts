/** Keys of the embedded store: bytes whose order is the order that ranges are read in. */

/** lmdb takes 1,978 bytes with pages of 4 KiB; a longer key would break the whole transaction, so it is refused before. */
export const KEY_BYTES_MAX = 1978

const SEPARATOR = 0
const TIME_SHIFT = 2n ** 63n

/** `name`, a zero byte, then the rest: all keys of one name lie together. A name holds no zero byte. */
export const keyOf = (name: string, rest: string | Buffer): Buffer => {
  if (name.includes('\0')) throw new Error(`a name must not hold a zero character: ${JSON.stringify(name)}`)
  const head = Buffer.byteLength(name)
  const length = typeof rest === 'string' ? Buffer.byteLength(rest) : rest.length
  const key = Buffer.allocUnsafe(head + 1 + length)
  key.write(name, 0)
  key[head] = SEPARATOR
  if (typeof rest === 'string') key.write(rest, head + 1)
  else rest.copy(key, head + 1)
  return key
}

/** The smallest key behind all keys that start with `prefix`. */
export const behindPrefix = (prefix: Buffer): Buffer => {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) throw new Error('no key lies behind this prefix')
  const end = Buffer.from(prefix.subarray(0, length))
  end[length - 1]! += 1
  return end
}

/** The smallest key behind this one. */
export const behind = (key: Buffer): Buffer => Buffer.concat([key, Buffer.of(0)])

/** A time in whole milliseconds as 8 bytes in order, times before 1970 included. */
export const timeBytes = (at: number): Buffer => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(BigInt(Math.ceil(at)) + TIME_SHIFT)
  return bytes
}

export const readTime = (bytes: Buffer, at = 0): number => Number(bytes.readBigUInt64BE(at) - TIME_SHIFT)

/** Partition (2 bytes) and offset (6 bytes). */
export const placeBytes = (partition: number, offset: number): Buffer => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeUInt16BE(partition, 0)
  bytes.writeUIntBE(offset, 2, 6)
  return bytes
}

export const partitionBytes = (partition: number): Buffer => {
  const bytes = Buffer.allocUnsafe(2)
  bytes.writeUInt16BE(partition, 0)
  return bytes
}

/** Reads back a key made of a name and `partitionBytes`. */
export const partitionOf = (key: Buffer): { name: string; partition: number } => ({
  name: key.toString('utf8', 0, key.length - 3),
  partition: key.readUInt16BE(key.length - 2),
})
