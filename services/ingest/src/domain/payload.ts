import { unzipSync } from 'node:zlib'
import { parseJson } from './parse-json.ts'
import { isPacked, unpackFault } from './unpack.ts'

/** Of gzip within a parameter. */
const INFLATED_BYTES_MAX = 20 << 20
const BASE64 = /^[A-Za-z0-9+/_ -]+={0,2}\s*$/

/**
 * The JSON within one parameter: plain, or base64 (also URL-safe, and with the `+` that a form turned into a space), or base64 of
 * gzip or deflate, known by its first two bytes and not by what a flag beside it says.
 * @throws ProblemError NOT_JSON, BODY_TOO_LARGE, BODY_UNREADABLE
 */
export const parseParameter = (text: string, inflatedBytesMax = INFLATED_BYTES_MAX): unknown => {
  const plain = text.trim()
  if (plain.startsWith('{') || plain.startsWith('[')) return parseJson(plain)
  if (!BASE64.test(plain)) return parseJson(plain)
  const bytes = Buffer.from(plain.replaceAll(' ', '+'), 'base64')
  return parseJson(isPacked(bytes) ? inflate(bytes, inflatedBytesMax) : bytes)
}

const inflate = (bytes: Buffer, maxOutputLength: number): Buffer => {
  try {
    return unzipSync(bytes, { maxOutputLength })
  } catch (error) {
    throw unpackFault(error)
  }
}
