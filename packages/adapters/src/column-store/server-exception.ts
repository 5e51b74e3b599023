import { StoreError } from '@millrace/ports'

/** An exception of the server is at most 16 KiB of text. */
const EXCEPTION_BYTES_MAX = 16 * 1024 + 512
const LAST_EXCEPTION = /Code: \d+\. DB::Exception: (?![\s\S]*\nCode: \d+\. DB::Exception: )[\s\S]*\(version [^\n]*\)\s*$/

/**
 * The bytes of an answer without the exception that may stand behind them: by then the status was 200 already. Servers
 * from 25.11 on name a random tag in a header and put the text between markers with that tag, so that no row can be
 * taken for it; older ones only write the text, so their end is held back until it is known to be rows.
 * @throws StoreError for the exception, and for an answer that breaks off
 */
export async function* rowsBefore(chunks: AsyncIterable<Uint8Array>, tag: string | null): AsyncIterable<Uint8Array> {
  const exception = tag === null ? untagged() : tagged(tag)
  try {
    for await (const chunk of chunks) {
      const rows = exception.rowsOf(chunk)
      if (rows.byteLength > 0) yield rows
    }
  } catch (error) {
    // A server that fails breaks its answer off, too; what it wrote before says more.
    const told = exception.told()
    throw told === null ? error : exceptionOf(told)
  }
  const told = exception.told()
  if (told !== null) throw exceptionOf(told)
  const rest = exception.rest()
  if (rest.byteLength > 0) yield rest
}

interface Watch {
  /** Those bytes of the answer so far that are rows for certain and were not given yet. */
  rowsOf(chunk: Uint8Array): Uint8Array
  told(): string | null
  /** What was held back and turned out to be rows. */
  rest(): Uint8Array
}

const NOTHING = new Uint8Array(0)

const tagged = (tag: string): Watch => {
  const marker = Buffer.from(`\r\n__exception__\r\n${tag}\r\n`)
  let held: Buffer = Buffer.alloc(0)
  let found = false
  return {
    rowsOf: (chunk) => {
      const bytes = held.length === 0 ? view(chunk) : Buffer.concat([held, chunk])
      if (found) {
        held = bytes.subarray(0, EXCEPTION_BYTES_MAX)
        return NOTHING
      }
      const at = bytes.indexOf(marker)
      found = at >= 0
      const end = found ? at : bytes.length - beginningAtEnd(bytes, marker)
      held = bytes.subarray(end)
      return bytes.subarray(0, end)
    },
    told: () => (found ? textIn(held.subarray(marker.length).toString(), tag) : null),
    rest: () => held,
  }
}

/** How many bytes at the end may be the beginning of the marker. */
const beginningAtEnd = (bytes: Buffer, marker: Buffer): number => {
  for (let length = Math.min(marker.length - 1, bytes.length); length > 0; length--)
    if (bytes.subarray(bytes.length - length).equals(marker.subarray(0, length))) return length
  return 0
}

/** Before the closing marker stand a line feed, the length of the text, and the tag again. */
const textIn = (block: string, tag: string): string => {
  const end = block.lastIndexOf(` ${tag}`)
  const text = end < 0 ? block : block.slice(0, block.lastIndexOf('\n', end))
  return text.trim()
}

const untagged = (): Watch => {
  let held: Buffer = Buffer.alloc(0)
  return {
    rowsOf: (chunk) => {
      const bytes = Buffer.concat([held, chunk])
      const end = Math.max(0, bytes.length - EXCEPTION_BYTES_MAX)
      held = bytes.subarray(end)
      return bytes.subarray(0, end)
    },
    told: () => LAST_EXCEPTION.exec(held.toString())?.[0].trim() ?? null,
    rest: () => held,
  }
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** ClickHouse's text as an error; `code` where a header told it. */
export const exceptionOf = (text: string, code?: number): StoreError =>
  new StoreError(code ?? Number(/Code: (\d+)/.exec(text)?.[1] ?? 0), text)
