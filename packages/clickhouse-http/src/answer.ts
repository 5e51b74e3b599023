import type { ServerResponse } from 'node:http'
import { createGzip, constants, type Gzip } from 'node:zlib'
import { StoreError } from '@millrace/ports'
import { exceptionBlock, problemOf } from './errors.ts'

export interface AnswerOptions {
  readonly format: string
  readonly queryId: string
  /** Named in a header; marks an error behind the first byte. */
  readonly tag: string
  readonly gzip: boolean
  readonly whole: boolean
  /** Of an answer that is held back until it is whole. */
  readonly wholeBytesMax?: number
}

const TOO_MANY_ROWS_OR_BYTES = 396

/** @throws what `chunks` throws before the first byte was sent; later errors go into the body */
export const sendAnswer = async (
  response: ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
  options: AnswerOptions,
): Promise<void> => {
  const iterator = (options.whole ? gathered(chunks, options.wholeBytesMax) : chunks)[Symbol.asyncIterator]()
  try {
    const first = await iterator.next()
    if (response.destroyed) return
    response.writeHead(200, headersOf(options))
    const body = options.gzip ? gzipped(response) : response
    try {
      for (let step = first; !step.done; step = await iterator.next()) await write(body, response, step.value)
    } catch (error) {
      return await breakOff(body, response, exceptionBlock(problemOf(error).text, options.tag))
    }
    body.end()
  } finally {
    await iterator.return?.()
  }
}

async function* gathered(chunks: AsyncIterable<Uint8Array>, bytesMax = Infinity): AsyncIterable<Uint8Array> {
  const all: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) throw new StoreError(TOO_MANY_ROWS_OR_BYTES, `an answer of more than ${bytesMax} bytes cannot be held back`)
    all.push(chunk)
  }
  yield* all
}

const headersOf = ({ format, queryId, tag, gzip }: AnswerOptions): Record<string, string> => ({
  'Content-Type': contentType(format),
  'X-ClickHouse-Format': format,
  'X-ClickHouse-Query-Id': queryId,
  'X-ClickHouse-Exception-Tag': tag,
  ...commonHeaders,
  // The engine in process does not tell what it read.
  'X-ClickHouse-Summary': '{"read_rows":"0","read_bytes":"0","written_rows":"0","written_bytes":"0","total_rows_to_read":"0","result_rows":"0","result_bytes":"0"}',
  ...(gzip ? { 'Content-Encoding': 'gzip' } : {}),
})

export const commonHeaders: Readonly<Record<string, string>> = {
  'X-ClickHouse-Server-Display-Name': 'millrace',
  'X-ClickHouse-Timezone': 'UTC',
}

const contentType = (format: string): string => {
  if (/^JSON(?!EachRow|Lines|Compact.*EachRow|Strings.*EachRow)/.test(format)) return 'application/json; charset=UTF-8'
  if (/JSON/.test(format)) return 'application/x-ndjson; charset=UTF-8'
  if (format.startsWith('CSV')) return 'text/csv; charset=UTF-8; header=present'
  if (/^(TSV|TabSeparated)/.test(format)) return 'text/tab-separated-values; charset=UTF-8'
  return /^(Native|RowBinary|Parquet|Arrow|ORC|Avro|MsgPack)/.test(format) ? 'application/octet-stream' : 'text/plain; charset=UTF-8'
}

const gzipped = (response: ServerResponse): Gzip => {
  const gzip = createGzip({ level: 1, flush: constants.Z_SYNC_FLUSH })
  gzip.pipe(response)
  return gzip
}

/** Waits for a slow reader; a reader that went away ends the wait. */
const write = async (body: ServerResponse | Gzip, response: ServerResponse, chunk: Uint8Array): Promise<void> => {
  if (response.destroyed) throw new Error('the client went away')
  if (body.write(chunk)) return
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      body.off('drain', settle)
      response.off('close', settle)
      resolve()
    }
    body.on('drain', settle)
    response.on('close', settle)
  })
}

/**
 * The body ends without its last chunk, so that a client that knows no markers sees a broken answer, too. A compressed
 * body ends whole: cut off, it could not be read to the block.
 */
const breakOff = async (body: ServerResponse | Gzip, response: ServerResponse, block: Buffer): Promise<void> => {
  if (response.destroyed) return
  if (body !== response) return void body.end(block)
  await new Promise<void>((resolve) => response.write(block, () => resolve()))
  response.socket?.end()
}
