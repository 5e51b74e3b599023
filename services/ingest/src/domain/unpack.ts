import { gunzip, gunzipSync } from 'node:zlib'
import { ProblemError } from '@millrace/contracts'

/** Above this size unpacking leaves the event loop. */
const SYNC_BYTES_MAX = 8 << 10
const RATIO_MAX = 200
const ALWAYS_ALLOWED_BYTES = 1 << 20

/**
 * The body as text bytes. Gzip is known by its first two bytes: some SDKs send it without saying so, some say so
 * and send plain text. What it unpacks to is bounded by size and by ratio.
 */
export const unpack = (body: Buffer, inflatedBytesMax: number): Buffer | Promise<Buffer> =>
  isGzip(body) ? inflate(body, inflatedBytesMax) : withoutMark(body)

export const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/** What could not be unpacked, by the fault that zlib tells. */
export const unpackFault = (error: unknown): ProblemError =>
  new ProblemError((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 'BODY_TOO_LARGE' : 'BODY_UNREADABLE')

const inflate = async (body: Buffer, inflatedBytesMax: number): Promise<Buffer> => {
  const maxOutputLength = Math.min(inflatedBytesMax, Math.max(body.length * RATIO_MAX, ALWAYS_ALLOWED_BYTES))
  try {
    return withoutMark(body.length <= SYNC_BYTES_MAX ? gunzipSync(body, { maxOutputLength }) : await gunzipAside(body, maxOutputLength))
  } catch (error) {
    throw unpackFault(error)
  }
}

const gunzipAside = (body: Buffer, maxOutputLength: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength }, (error, inflated) => (error ? reject(error) : resolve(inflated)))
  })

/** A byte order mark is no part of the text. */
const withoutMark = (body: Buffer): Buffer => (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body)
