import { unzip, unzipSync } from 'node:zlib'
import { ProblemError } from '@millrace/contracts'

/** Above this size unpacking leaves the event loop. */
const SYNC_BYTES_MAX = 8 << 10
const RATIO_MAX = 200
const ALWAYS_ALLOWED_BYTES = 1 << 20

/**
 * The body as text bytes. Gzip and deflate are known by their first two bytes: some SDKs send them without saying so, some say so
 * and send plain text. What it unpacks to is bounded by size and by ratio.
 */
export const unpack = (body: Buffer, inflatedBytesMax: number): Buffer | Promise<Buffer> =>
  isPacked(body) ? inflate(body, inflatedBytesMax) : withoutMark(body)

/** Gzip (RFC 1952 §2.3.1), or deflate in zlib's frame, whose first two bytes are a multiple of 31 (RFC 1950 §2.2); no JSON, form or base64 begins so. */
export const isPacked = (bytes: Buffer): boolean => (bytes[0] === 0x1f && bytes[1] === 0x8b) || (bytes[0] === 0x78 && bytes.length > 1 && bytes.readUInt16BE(0) % 31 === 0)

/** What could not be unpacked, by the fault that zlib tells. */
export const unpackFault = (error: unknown): ProblemError =>
  new ProblemError((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 'BODY_TOO_LARGE' : 'BODY_UNREADABLE')

const inflate = async (body: Buffer, inflatedBytesMax: number): Promise<Buffer> => {
  const maxOutputLength = Math.min(inflatedBytesMax, Math.max(body.length * RATIO_MAX, ALWAYS_ALLOWED_BYTES))
  try {
    return withoutMark(body.length <= SYNC_BYTES_MAX ? unzipSync(body, { maxOutputLength }) : await unzipAside(body, maxOutputLength))
  } catch (error) {
    throw unpackFault(error)
  }
}

const unzipAside = (body: Buffer, maxOutputLength: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    unzip(body, { maxOutputLength }, (error, inflated) => (error ? reject(error) : resolve(inflated)))
  })

/** A byte order mark is no part of the text. */
const withoutMark = (body: Buffer): Buffer => (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body)
