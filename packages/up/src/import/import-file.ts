import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { batchesOf } from '../door/batches.ts'
import { DoorFault, sendBatches } from '../door/batch-sender.ts'
import { content, openEventFile, type EventFile, type Format } from './file.ts'
import type { ImportOptions } from './options.ts'
import { readAccessLog, readCsv, readNdjson, type ReadLine } from './read-lines.ts'

interface Refused {
  readonly line: number
  readonly code: string
  readonly detail: string
  readonly text: string
}

export interface ImportResult {
  /** Events that the door has; refused ones among them are kept there with their reason. */
  readonly sent: number
  readonly refused: number
  /** The first of them; all are in the refused file. */
  readonly examples: readonly Refused[]
  /** Why not everything could be sent, or null. */
  readonly fault: string | null
}

export interface ImportHooks {
  readonly started: (file: EventFile) => void
  readonly moved: (bytesRead: number, sent: number) => void
  readonly pause?: (ms: number) => Promise<unknown>
}

const EXAMPLES_MAX = 20
const REFUSED_LENGTH_MAX = 500
/** About two minutes of a door that is away. */
const ATTEMPTS_MAX = 18

/** Sends a file to the door. @throws when the file cannot be read or the mapping does not fit it */
export const importFile = async (options: ImportOptions, hooks: ImportHooks): Promise<ImportResult> => {
  const file = await openEventFile(options.file)
  hooks.started(file)
  const refused = new RefusedLines(options.refusedFile)
  const progress = { bytes: 0, sent: 0 }
  const source = content(file, (bytes) => (progress.bytes = bytes))
  const lines = linesOf(options.format === 'by-content' ? file.looksLike : options.format, source, options)
  let fault: string | null = null
  try {
    await sendBatches(options, batchesOf(events(lines, file, refused), ({ text }) => Buffer.byteLength(text)), {
      inFlightMax: options.inFlightMax,
      attemptsMax: ATTEMPTS_MAX,
      ...(hooks.pause ? { pause: hooks.pause } : {}),
      sent: async (batch, answers) => {
        for (const { index, code, detail } of answers) {
          const { line, text } = batch[index]!
          await refused.add({ line, code, detail, text: text.slice(0, REFUSED_LENGTH_MAX) })
        }
        progress.sent += batch.length
        hooks.moved(progress.bytes, progress.sent)
      },
    })
  } catch (error) {
    if (!(error instanceof DoorFault)) throw error
    fault = error.message
  } finally {
    source.destroy()
    await refused.close()
  }
  return { sent: progress.sent, refused: refused.count, examples: refused.examples.toSorted((a, b) => a.line - b.line), fault }
}

const linesOf = (format: Format, source: Readable, { mapping, delimiter }: ImportOptions): AsyncIterable<ReadLine> => {
  switch (format) {
    case 'csv': return readCsv(source, mapping, delimiter)
    case 'apache': return readAccessLog(source)
    case 'ndjson': return readNdjson(source)
  }
}

interface LineToSend {
  readonly line: number
  readonly text: string
}

/** Whatever is a JSON object goes to the door, which alone says what an event is, keeps what it refuses, and counts it. */
async function* events(lines: AsyncIterable<ReadLine>, file: EventFile, refused: RefusedLines): AsyncGenerator<LineToSend> {
  for await (const read of lines) {
    if ('refused' in read) await refused.add({ line: read.line, ...read.refused })
    else yield { line: read.line, text: JSON.stringify(hasMessageId(read.event) ? read.event : { ...read.event, messageId: messageIdOfLine(file, read.line) }) }
  }
}

const hasMessageId = (event: Readonly<Record<string, unknown>>): boolean => typeof event['messageId'] === 'string' && event['messageId'] !== ''

/** The same for the same content at the same line, however often and by whomever it is imported. */
const messageIdOfLine = (file: EventFile, line: number): string =>
  `import-${createHash('sha256').update(`${file.contentHash}:${line}`).digest('hex').slice(0, 32)}`

/** Refused lines go to a file as they are met; memory holds the first few. */
class RefusedLines {
  readonly examples: Refused[] = []
  count = 0
  private readonly path: string
  private file: FileHandle | null = null

  constructor(path: string) {
    this.path = path
  }

  async add(refused: Refused): Promise<void> {
    this.count++
    if (this.examples.length < EXAMPLES_MAX) this.examples.push(refused)
    this.file ??= await open(this.path, 'w')
    await this.file.write(`${JSON.stringify(refused)}\n`)
  }

  async close(): Promise<void> {
    await this.file?.close()
  }
}
