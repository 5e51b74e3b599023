import { compressSync, uncompressSync } from 'lz4-napi'

/**
 * Record, version 1: what one log record holds.
 *
 *   byte 0      version (1)
 *   byte 1      codec of the lines: 0 none, 1 LZ4 (length-prefixed block)
 *   bytes 2..5  length of the header, unsigned 32-bit big endian
 *   then        the header, JSON in UTF-8
 *   then        the lines, each ended by one line feed
 *
 * A line never holds a raw line feed: JSON allows one only as white space, and `appendLine` turns it into a space.
 */
export const RECORD_VERSION = 1

export type RecordKind = 'events' | 'control' | 'resolved' | 'facts' | 'map' | 'flips' | 'rejected'

/** Where and when a group of events came in. */
export interface Origin {
  readonly source: string
  readonly protocol: string
  readonly receivedAt: number
  readonly sentAt: number | null
  /** What the sender said once for the whole request, to be laid under each event. */
  readonly context?: Readonly<Record<string, unknown>>
  /** How far the sender's clock is behind ours, where ingest knows better than `sentAt` of this one request tells. */
  readonly skewMs?: number
  /** Kind `events`: how many lines of the record have this origin, where it has several. */
  readonly lines?: number
}

/** Whose origin a line of kind `events` has. */
export const originAt = ({ origins }: RecordHeader, index: number): Origin | undefined => {
  if (origins.length === 1) return origins[0]
  let behind = 0
  return origins.find((origin) => index < (behind += (origin as Origin).lines ?? 0))
}

/** In events.resolved: how many events and repeats of one origin a record accounts for. */
export interface OriginCount extends Origin {
  readonly events: number
  readonly repeats: number
}

export interface RecordHeader {
  readonly kind: RecordKind
  readonly project: number
  /** Number of events that the record accounts for (for the ledger; 0 in a control record). */
  readonly count: number
  /** kind `events`: one origin or more, each for its next `lines`. kind `resolved`: one or more; a line names its own by index. */
  readonly origins: readonly (Origin | OriginCount)[]
  /** Kinds `events` and `rejected`: which request brought each line; one entry where all lines came with the same. */
  readonly requests?: readonly string[]
}

/** The id of the request that brought a line; empty where none is known. */
export const requestAt = ({ requests }: RecordHeader, index: number): string => {
  if (!Array.isArray(requests)) return ''
  const id: unknown = requests[requests.length === 1 ? 0 : index]
  return typeof id === 'string' && REQUEST_ID.test(id) ? id : ''
}

/** Ids of requests, as given by a sender or a proxy in `X-Request-Id`, or made by us. */
export const REQUEST_ID = /^[\w.:+/=-]{1,64}$/

export interface DecodedRecord {
  readonly header: RecordHeader
  /** The lines without their line feeds; decompressed on first use. */
  readonly lines: () => readonly Buffer[]
}

const COMPRESS_FROM_BYTES = 512

export class RecordError extends Error {
  readonly code = 'RECORD_UNREADABLE'
}

export const encodeRecord = (header: RecordHeader, lines: readonly (Buffer | string)[]): Buffer => encodeLines(header, joinLines(lines))

/** The same of lines that are joined already: each ended by one line feed, with no other in it. */
export const encodeLines = (header: RecordHeader, plain: Buffer): Buffer => {
  const head = Buffer.from(JSON.stringify(header))
  const packed = plain.length >= COMPRESS_FROM_BYTES ? compressSync(plain) : plain
  const compressed = packed !== plain && packed.length < plain.length
  const prefix = Buffer.allocUnsafe(6)
  prefix[0] = RECORD_VERSION
  prefix[1] = compressed ? 1 : 0
  prefix.writeUInt32BE(head.length, 2)
  return Buffer.concat([prefix, head, compressed ? packed : plain])
}

/** The header alone, without touching the lines: the ledger counts by it. @throws RecordError */
export const decodeHeader = (value: Uint8Array): RecordHeader => {
  const bytes = asBuffer(value)
  return readHeader(bytes, 6 + headLength(bytes))
}

/** @throws RecordError when the bytes are not a record of a version that this build reads; `lines` too, when they cannot be unpacked */
export const decodeRecord = (value: Uint8Array): DecodedRecord => {
  const bytes = asBuffer(value)
  const start = 6 + headLength(bytes)
  const header = readHeader(bytes, start)
  let lines: readonly Buffer[] | undefined
  return { header, lines: () => (lines ??= splitLines(unpack(bytes, start))) }
}

/** Numbers of projects and times have these bounds in every table. */
const PROJECT_MAX = 65_535
const TIME_MAX = 2 ** 43

/** Other software can write to the log: what consumers and tables stand on is there, or the record is none. */
const readHeader = (bytes: Buffer, end: number): RecordHeader => {
  const header = parseHeader(bytes, end)
  const whole = typeof header?.kind === 'string' && isWithin(header.project, PROJECT_MAX) && isWithin(header.count, Number.MAX_SAFE_INTEGER)
  if (!whole || !Array.isArray(header.origins) || !header.origins.every(isOrigin)) throw new RecordError('its header is none')
  if (header.kind === 'events' && header.origins.length > 1 && linesOf(header.origins) !== header.count) throw new RecordError('its origins are not those of its lines')
  return header
}

const linesOf = (origins: readonly Origin[]): number => origins.reduce((sum, { lines = 0 }) => sum + lines, 0)

const isWithin = (value: unknown, max: number): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max

const parseHeader = (bytes: Buffer, end: number): RecordHeader | null => {
  try {
    return JSON.parse(bytes.toString('utf8', 6, end)) as RecordHeader | null
  } catch {
    throw new RecordError('its header is no JSON')
  }
}

const isOrigin = (origin: Origin | null): boolean =>
  typeof origin?.source === 'string' && typeof origin.protocol === 'string' && isWithin(Math.floor(origin.receivedAt), TIME_MAX) &&
  ((origin.sentAt ?? null) === null || Number.isFinite(origin.sentAt))

const unpack = (bytes: Buffer, start: number): Buffer => {
  if (bytes[1] === 0) return bytes.subarray(start)
  if (bytes[1] === 1) return uncompress(bytes.subarray(start))
  throw new RecordError(`unknown codec ${bytes[1]}`)
}

const uncompress = (packed: Buffer): Buffer => {
  try {
    return uncompressSync(packed)
  } catch (error) {
    throw new RecordError(`its lines cannot be unpacked: ${(error as Error).message}`)
  }
}

const headLength = (bytes: Buffer): number => {
  if (bytes.length < 6) throw new RecordError('shorter than a record')
  if (bytes[0] !== RECORD_VERSION) throw new RecordError(`record version ${bytes[0]} is not read by this build`)
  return bytes.readUInt32BE(2)
}

const asBuffer = (value: Uint8Array): Buffer =>
  Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)

const FEED = 0x0a
const RETURN = 0x0d
const SPACE = 0x20

const joinLines = (lines: readonly (Buffer | string)[]): Buffer => {
  const parts = lines.map((line) => (typeof line === 'string' ? Buffer.from(line) : line))
  const out = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + part.length + 1, 0))
  let at = 0
  for (const part of parts) {
    const end = at + part.copy(out, at)
    for (let feed = out.indexOf(FEED, at); feed >= 0 && feed < end; feed = out.indexOf(FEED, feed + 1)) out[feed] = SPACE
    at = end
    out[at++] = FEED
  }
  return out.subarray(0, at)
}

const splitLines = (plain: Buffer): readonly Buffer[] => {
  const lines: Buffer[] = []
  let at = 0
  while (at < plain.length) {
    const feed = plain.indexOf(FEED, at)
    const end = feed < 0 ? plain.length : feed
    lines.push(plain.subarray(at, end > at && plain[end - 1] === RETURN ? end - 1 : end))
    at = end + 1
  }
  return lines
}
