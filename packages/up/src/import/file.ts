import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { isAccessLogLine } from './access-log.ts'

export type Format = 'ndjson' | 'csv' | 'apache'

/** A file of events, unpacked where it is gzip (by its first bytes, not its name). */
export interface EventFile {
  readonly path: string
  readonly gzip: boolean
  /** Bytes on disk. */
  readonly bytes: number
  /** SHA-256 of the unpacked content: a file and its gzip have the same, and so the same message ids. */
  readonly contentHash: string
  /** What the first line that is not empty tells. */
  readonly looksLike: Format
}

/** Reads the whole file once: the hash must be known before the first line is sent. @throws on a broken file */
export const openEventFile = async (path: string): Promise<EventFile> => {
  const gzip = await isGzip(path)
  const { size } = await stat(path)
  const hash = createHash('sha256')
  let head = ''
  for await (const chunk of content({ path, gzip }, () => {})) {
    hash.update(chunk as Buffer)
    if (head.trim() === '') head = String(chunk).replace(/^\uFEFF/, '')
  }
  return { path, gzip, bytes: size, contentHash: hash.digest('hex'), looksLike: formatOf(head.trimStart()) }
}

const formatOf = (head: string): Format => {
  if (head.startsWith('{')) return 'ndjson'
  return isAccessLogLine(head.slice(0, head.search(/\r?\n|$/))) ? 'apache' : 'csv'
}

/** The unpacked bytes; `moved` is told how many bytes on disk were read so far. */
export const content = (file: Pick<EventFile, 'path' | 'gzip'>, moved: (bytesRead: number) => void): Readable => {
  const raw = createReadStream(file.path)
  raw.on('data', () => moved(raw.bytesRead))
  return file.gzip ? pipeline(raw, createGunzip(), () => {}) : raw
}

const isGzip = async (path: string): Promise<boolean> => {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await handle.close()
  }
}
