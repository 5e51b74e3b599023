import {
  decodeRecord,
  isNobody,
  type KeyLine,
  type NumberExpected,
  type NumberLeft,
  type NumberMoved,
  type RecordHeader,
  type ResolvedEventLine,
  type ResolvedLine,
} from '@millrace/contracts'
import type { LogRecord } from '@millrace/ports'

/** The lines of events.resolved that change a profile. */
export type FoldLine = ResolvedEventLine | NumberLeft | NumberExpected | NumberMoved | KeyLine

export const personOf = (line: FoldLine): string => ('of' in line ? line.of : line.person)

export interface FoldRecord {
  readonly offset: number
  readonly header: RecordHeader
  readonly lines: readonly FoldLine[]
  /** The greatest `clock.advanced` of the record; 0 without. */
  readonly advanced: number
}

/** Each line is parsed once, here. What belongs to others, and events of nobody, is left out. */
export const readRecord = (record: LogRecord): FoldRecord => {
  const { header, lines } = decodeRecord(record.value)
  const mine: FoldLine[] = []
  let advanced = 0
  for (const bytes of lines()) {
    const line = JSON.parse(bytes.toString('utf8')) as ResolvedLine | KeyLine
    if (line.type === 'clock.advanced') advanced = Math.max(advanced, line.at)
    else if (isFoldLine(line)) mine.push(line)
  }
  return { offset: record.offset, header, lines: mine, advanced }
}

const isFoldLine = (line: ResolvedLine | KeyLine): line is FoldLine => {
  switch (line.type) {
    case 'event': return !isNobody(line.key)
    case 'number.moved': return line.for === 'fold'
    case 'key.joined':
    case 'key.left':
    case 'number.left':
    case 'number.expected': return true
    default: return false
  }
}
