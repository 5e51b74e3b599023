import type { Readable } from 'node:stream'
import { parse, type CsvError } from 'csv-parse'
import { eventOfAccessLogLine } from './access-log.ts'
import { eventOfRow, fieldsOfColumns, type Mapping } from './mapping.ts'

/** One line (or CSV record, by its first line) of the file: an event to send, or why it is none. */
export type ReadLine =
  | { readonly line: number; readonly event: Record<string, unknown> }
  | { readonly line: number; readonly refused: { readonly code: string; readonly detail: string; readonly text: string } }

/** A line beyond this cannot be an event: none that large is taken. */
const LINE_BYTES_MAX = 1_000_000
const TOLD_LENGTH_MAX = 500

/** NDJSON; empty lines are passed over. */
export const readNdjson = (source: Readable): AsyncGenerator<ReadLine> => readByLine(source, jsonLine)

/** An access log in the common or combined log format. */
export const readAccessLog = (source: Readable): AsyncGenerator<ReadLine> => readByLine(source, accessLogLine)

/** Holds one chunk and one line in memory. */
async function* readByLine(source: Readable, read: (line: number, text: string) => ReadLine): AsyncGenerator<ReadLine> {
  let number = 0
  for await (const { text, tooLong } of splitLines(source)) {
    number++
    const trimmed = (number === 1 ? text.replace(/^\uFEFF/, '') : text).trim()
    if (tooLong) yield refusal(number, 'EVENT_TOO_LARGE', `the line has more than ${LINE_BYTES_MAX} bytes`, trimmed)
    else if (trimmed !== '') yield read(number, trimmed)
  }
}

const jsonLine = (line: number, text: string): ReadLine => {
  try {
    const event: unknown = JSON.parse(text)
    if (typeof event === 'object' && event !== null && !Array.isArray(event)) return { line, event: event as Record<string, unknown> }
    return refusal(line, 'NOT_AN_OBJECT', 'the line is not a JSON object', text)
  } catch (error) {
    return refusal(line, 'NOT_JSON', (error as Error).message, text)
  }
}

const accessLogLine = (line: number, text: string): ReadLine => {
  const event = eventOfAccessLogLine(text)
  return typeof event === 'string' ? refusal(line, 'NOT_AN_ACCESS_LOG', event, text) : { line, event }
}

/** CSV with a header. A record that cannot be read is told and passed over. */
export async function* readCsv(source: Readable, mapping: Mapping, delimiter: string): AsyncGenerator<ReadLine> {
  const broken: ReadLine[] = []
  const parser = parse({ bom: true, delimiter, info: true, max_record_size: LINE_BYTES_MAX, relax_column_count: true, skip_empty_lines: true, skip_records_with_error: true })
  parser.on('skip', (error: CsvError) => broken.push(refusal(Number(error['lines'] ?? 0), 'NOT_CSV', error.message, String(error['raw'] ?? ''))))
  source.on('error', (error) => parser.destroy(error)).pipe(parser)
  let fields: readonly string[] | null = null
  let endsAt = 0
  for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    yield* broken.splice(0)
    const line = endsAt + 1
    endsAt = info.lines
    if (fields === null) fields = fieldsOfColumns(record, mapping)
    else if (record.length === fields.length) yield { line, event: eventOfRow(fields, record) }
    else yield refusal(line, 'NOT_CSV', `the record has ${record.length} columns, the header ${fields.length}`, record.join(delimiter))
  }
  yield* broken
}

const refusal = (line: number, code: string, detail: string, text: string): ReadLine => ({
  line,
  refused: { code, detail, text: text.slice(0, TOLD_LENGTH_MAX) },
})

interface Line {
  readonly text: string
  readonly tooLong: boolean
}

async function* splitLines(source: Readable): AsyncGenerator<Line> {
  let pieces: Buffer[] = []
  let bytes = 0
  const take = (): Line => {
    const line = { text: Buffer.concat(pieces).toString('utf8'), tooLong: bytes > LINE_BYTES_MAX }
    pieces = []
    bytes = 0
    return line
  }
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      bytes += end - start
      // Only the beginning of an endless line is kept, to tell which it was.
      if (bytes <= LINE_BYTES_MAX) pieces.push(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    bytes += chunk.length - start
    if (bytes <= LINE_BYTES_MAX) pieces.push(chunk.subarray(start))
  }
  if (bytes > 0) yield take()
}
